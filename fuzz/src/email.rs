use domain::EmailAddress;

/// An address that is accepted is one plain address in its only spelling: nothing of it can leave the header it is put into.
pub fn read(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(address) = text.parse::<EmailAddress>() else { return };
    let plain = address.as_str();
    assert!(plain.bytes().all(|it| it.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&it)), "{plain:?}");
    assert!(plain.len() <= 254 && plain.matches('@').count() == 1, "{plain:?}");
    assert!(plain.split_once('@').is_some_and(|(local, domain)| (1..=64).contains(&local.len()) && domain.contains('.')));
    assert_eq!(plain, plain.to_ascii_lowercase());
    assert_eq!(plain.parse().as_ref(), Ok(&address), "one spelling");

    let stored = serde_json::to_string(&address).expect("an address is JSON");
    assert_eq!(serde_json::from_str::<EmailAddress>(&stored).ok(), Some(address), "as stored");
}
