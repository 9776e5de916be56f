use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "it is the library of the fuzz targets, which take it as a crate")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// Does with every input of a corpus what its fuzz target does.
fn replay(target: &str, read: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).expect("a corpus") {
        let path = entry.expect("an entry").path();
        let input = fs::read(&path).expect("an input");
        // Named, so that whoever sees it fail knows which one it was.
        let read = std::panic::catch_unwind(|| read(&input));
        assert!(read.is_ok(), "{} on {}", target, path.display());
        inputs += 1;
    }
    assert!(inputs > 0, "{target} has a corpus");
}

#[test]
fn what_fuzzing_found_for_tokens_still_holds() {
    replay("token", targets::token::read);
}

#[test]
fn what_fuzzing_found_for_cursors_still_holds() {
    replay("cursor", targets::cursor::read);
}

#[test]
fn what_fuzzing_found_for_patches_still_holds() {
    replay("patch", targets::patch::read);
}

#[test]
fn what_fuzzing_found_for_addresses_still_holds() {
    replay("email", targets::email::read);
}
