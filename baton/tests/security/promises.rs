use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The items of OWASP ASVS 5.0.0, chapters V6 to V9, with their levels. Those of level 3 are not asked for.
const ITEMS: &[(u8, &[&str])] = &[
    (
        1,
        &[
            "6.1.1", "6.2.1", "6.2.2", "6.2.3", "6.2.4", "6.2.5", "6.2.6", "6.2.7", "6.2.8", "6.3.1", "6.3.2", "6.4.1", "6.4.2",
            "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.4.1", "7.4.2", "8.1.1", "8.2.1", "8.2.2", "8.3.1", "9.1.1", "9.1.2", "9.1.3",
            "9.2.1",
        ],
    ),
    (
        2,
        &[
            "6.1.2", "6.1.3", "6.2.9", "6.2.10", "6.2.11", "6.2.12", "6.3.3", "6.3.4", "6.4.3", "6.4.4", "6.5.1", "6.5.2",
            "6.5.3", "6.5.4", "6.5.5", "6.6.1", "6.6.2", "6.6.3", "6.8.1", "6.8.2", "6.8.3", "6.8.4", "7.1.1", "7.1.2", "7.1.3",
            "7.3.1", "7.3.2", "7.4.3", "7.4.4", "7.4.5", "7.5.1", "7.5.2", "7.6.1", "7.6.2", "8.1.2", "8.2.3", "8.4.1", "9.2.2",
            "9.2.3", "9.2.4",
        ],
    ),
];

/// With what a row begins that no test shows, or not all of it.
const WITHOUT_TEST: [&str; 4] = ["Does not apply: ", "Documented: ", "Not fulfilled: ", "In part: "];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> String {
    fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md")
}

/// What stands in a table of the document about an item.
struct Row {
    level: String,
    shown_by: String,
}

fn rows(document: &str) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for line in document.lines().filter(|it| it.starts_with("| ") && it.contains('.')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_item = |it: &str| it.split('.').count() == 3 && it.split('.').all(|part| part.parse::<u8>().is_ok());
        if !is_item(cells[0]) {
            continue;
        }
        let [number, level, what, shown_by] = cells[..] else { panic!("not four cells: {line}") };
        assert!(what.len() > 10, "{number} says what it asks for");
        let row = Row { level: level.to_owned(), shown_by: shown_by.to_owned() };
        assert!(rows.insert(number.to_owned(), row).is_none(), "{number} stands there twice");
    }
    rows
}

/// The names of tests in a text: what is set as code and reads like a sentence.
fn tests_named(text: &str) -> BTreeSet<String> {
    let code = text.split('`').skip(1).step_by(2);
    let is_name = |it: &&str| {
        it.split('_').count() >= 4 && it.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
    };
    code.filter(is_name).map(str::to_owned).collect()
}

/// Every function under `#[test]` or `#[tokio::test]` in the sources.
fn tests_written() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders: Vec<PathBuf> = ["baton", "functions", "shared"].map(|it| root().join(it)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                names.extend(tests_in(&fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    names
}

fn tests_in(source: &str) -> Vec<String> {
    let mut is_test = false;
    let mut names = Vec::new();
    for line in source.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, declared)) = line.split_once("fn ") {
            let name: String = declared.chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '_').collect();
            names.extend(std::mem::take(&mut is_test).then_some(name));
        }
    }
    names
}

#[test]
fn every_item_of_the_standard_has_a_row_and_every_row_an_item() {
    let rows = rows(&document());
    let told: BTreeMap<&str, &str> = rows.iter().map(|(number, row)| (number.as_str(), row.level.as_str())).collect();
    let levels = ITEMS.iter().flat_map(|(level, numbers)| numbers.iter().map(move |number| (*number, level.to_string())));
    let levels: BTreeMap<&str, String> = levels.collect();
    let asked: BTreeMap<&str, &str> = levels.iter().map(|(number, level)| (*number, level.as_str())).collect();
    assert_eq!(told, asked);
}

#[test]
fn every_row_names_a_test_or_says_why_there_is_none() {
    for (number, Row { shown_by, .. }) in rows(&document()) {
        let excused = WITHOUT_TEST.iter().any(|it| shown_by.strip_prefix(it).is_some_and(|why| why.len() > 10));
        assert!(excused || !tests_named(&shown_by).is_empty(), "{number}: {shown_by}");
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let written = tests_written();
    assert!(written.contains("every_test_that_is_named_exists"), "the sources are read");
    let named = tests_named(&document());
    let missing: Vec<&String> = named.difference(&written).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:#?}");
}
