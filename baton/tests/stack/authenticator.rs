//! An authenticator app: the codes of RFC 6238 from the secret that an enrolment shows.

use jiff::Timestamp;
use ring::hmac;
use serde_json::json;

use crate::people::{PASSWORD, Person};

const SECONDS: u64 = 30;

/// One account in the app.
#[derive(Debug)]
pub(crate) struct Authenticator {
    key: hmac::Key,
    /// The last step a code was read of; a code is taken once.
    step: u64,
}

impl Authenticator {
    /// From the secret as enrolment shows it, in base32.
    pub(crate) fn new(secret: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &from_base32(secret)), step: 0 }
    }

    /// The code of now, or, where that was read already, the one that comes next, which a clock that is a little fast would show.
    pub(crate) fn next_code(&mut self) -> String {
        let now = u64::try_from(Timestamp::now().as_second()).expect("a time after 1970") / SECONDS;
        self.step = now.max(self.step + 1);
        self.code_at(self.step)
    }

    fn code_at(&self, step: u64) -> String {
        let tag = hmac::sign(&self.key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four octets")) & 0x7FFF_FFFF;
        format!("{:06}", number % 1_000_000)
    }
}

/// Turns a second factor on, and returns it with its recovery codes.
pub(crate) async fn enrol(person: &Person) -> (Authenticator, Vec<String>) {
    let begun = person.post("/v1/me/second-factor", json!({"password": PASSWORD})).await.expect(200);
    let mut authenticator = Authenticator::new(&begun.text("secret"));
    let confirmed = person.post("/v1/me/second-factor/confirm", json!({"code": authenticator.next_code()})).await.expect(200);
    let codes = confirmed.body["recovery_codes"].as_array().expect("recovery codes");
    (authenticator, codes.iter().map(|it| it.as_str().expect("a code").to_owned()).collect())
}

fn from_base32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut octets) = (0_u32, 0_u32, Vec::new());
    for letter in text.bytes().filter(|it| *it != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("{text} is base32"),
        };
        bits = (bits << 5 | u32::from(value)) & 0xFFFF;
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held & 0xFF) as u8);
        }
    }
    octets
}

#[test]
fn codes_are_those_of_the_rfc() {
    // RFC 6238, appendix B, the last six of its eight digits.
    let authenticator = Authenticator::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(authenticator.code_at(59 / SECONDS), "287082");
    assert_eq!(authenticator.code_at(1_111_111_109 / SECONDS), "081804");
}
