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
    lock: File,
    was_left: bool,
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
    /// Makes the folder if need be, readable by its owner only, and locks it. A folder that is there keeps its mode: it may be shared
    /// for a reason, and the files in it are its owner's only anyway.
    ///
    /// # Errors
    /// [`FolderError::Taken`] names the process that has it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let name = || path.display().to_string();
        let unusable = |source| FolderError::Unusable { path: name(), source };
        create(path).map_err(unusable)?;
        let mut lock = open_private(&path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder).map_err(unusable)?;
                return Err(FolderError::Taken { path: name(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let was_left = lock.metadata().map_err(unusable)?.len() > 0;
        lock.set_len(0).map_err(unusable)?;
        lock.seek(SeekFrom::Start(0)).map_err(unusable)?;
        writeln!(lock, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), lock, was_left })
    }

    /// Whether who had it last did not end by [`Folder::close`], as where its process was killed.
    pub fn was_left(&self) -> bool {
        self.was_left
    }

    /// Gives it back with nothing under way.
    ///
    /// # Errors
    /// The next to open it will find it left.
    pub fn close(self) -> std::io::Result<()> {
        self.lock.set_len(0)
    }

    /// Writes a small file, whole or not at all.
    ///
    /// # Errors
    /// It is as it was.
    pub fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        let new = self.path.join(format!("{name}.new"));
        let mut file = open_private(&new)?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(new, self.path.join(name))
    }

    /// A file in the folder, made if need be, readable by its owner only. SQLite gives the files beside it the same mode.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn file(&self, name: &str) -> std::io::Result<PathBuf> {
        let path = self.path.join(name);
        open_private(&path)?;
        Ok(path)
    }
}

/// Opens a file, made if need be, that holds signing keys and password hashes, or the way to them.
fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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
        assert!(!first.was_left(), "nobody had it before");
        drop(first);
        let second = Folder::open(&path)?;
        assert!(second.was_left(), "it was not closed");
        second.close()?;
        assert!(!Folder::open(&path)?.was_left());
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn files_are_their_owners_only_also_in_a_folder_that_was_there_before() -> Result<(), Box<dyn std::error::Error>> {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir()?;
        std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o755))?;
        let folder = Folder::open(parent.path())?;
        folder.write("stack.json", "longer than the next")?;
        folder.write("stack.json", "{}")?;
        let mode = |path: &Path| std::fs::metadata(path).map(|it| it.permissions().mode() & 0o777);
        assert_eq!(mode(&folder.file("queues.sqlite")?)?, 0o600);
        assert_eq!(mode(&folder.file("stack.json")?)?, 0o600);
        assert_eq!(mode(&folder.file("lock")?)?, 0o600);
        assert_eq!(mode(parent.path())?, 0o755);
        assert_eq!(std::fs::read_to_string(folder.file("stack.json")?)?, "{}");
        Ok(())
    }
}
