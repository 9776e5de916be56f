//! The data folder: one `baton` at a time works in it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A data folder nobody else works in for as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// The data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("{path} is in use by process {holder}; stop it, or choose another folder with --data")]
    Taken {
        /// The folder.
        path: String,
        /// The process id it wrote down.
        holder: String,
    },
    /// The folder or its lock file cannot be made.
    #[error("cannot use the data folder {path}")]
    Unusable {
        /// The folder.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Folder {
    /// Makes the folder if need be, readable by its owner only, and locks it.
    ///
    /// # Errors
    /// [`FolderError::Taken`] names the process that has it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let name = || path.display().to_string();
        let unusable = |source| FolderError::Unusable { path: name(), source };
        create(path).map_err(unusable)?;
        let mut options = OpenOptions::new();
        let mut lock = options.read(true).write(true).create(true).truncate(false).open(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder).map_err(unusable)?;
                return Err(FolderError::Taken { path: name(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        lock.set_len(0).map_err(unusable)?;
        lock.seek(SeekFrom::Start(0)).map_err(unusable)?;
        writeln!(lock, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Writes a small file, whole or not at all.
    ///
    /// # Errors
    /// It is as it was.
    pub fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        let new = self.file(&format!("{name}.new"));
        std::fs::write(&new, text)?;
        std::fs::rename(new, self.file(name))
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(unix)]
fn create(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    // It holds signing keys and password hashes.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() -> Result<(), Box<dyn std::error::Error>> {
        let parent = tempfile::tempdir()?;
        let path = parent.path().join("data");
        let first = Folder::open(&path)?;
        let error = Folder::open(&path).expect_err("the folder is taken");
        assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())), "{error}");
        drop(first);
        Folder::open(&path)?;
        Ok(())
    }
}
