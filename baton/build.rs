//! Writes the table of the files of web/, so that a file put there is served without being named anywhere.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let web = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../web");
    // A folder is looked through for changes, so this sees new files as well as changed ones.
    println!("cargo::rerun-if-changed={}", web.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut paths = fs::read_dir(web)?.map(|file| file.map(|it| it.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    let mut table = "&[\n".to_owned();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(table, "    ({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("assets.rs"), table)
}
