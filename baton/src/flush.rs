//! Brings what was written onto the disk before it is acknowledged, many writes at a time.

use std::{fs::File, io, path::Path};

use tokio::sync::{mpsc, oneshot};

type Waiting = oneshot::Sender<Result<(), io::ErrorKind>>;

/// Synchronises one file on a thread of its own; whoever waits while it is at work shares the next turn.
#[derive(Debug, Clone)]
pub struct Flush(mpsc::UnboundedSender<Waiting>);

impl Flush {
    /// Starts on the file at `path`, whose name in its folder is made durable at once.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn start(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::Builder::new().name("flush".to_owned()).spawn(move || work(&file, receiver))?;
        Ok(Self(sender))
    }

    /// One that cannot bring anything onto the disk.
    #[cfg(test)]
    pub(crate) fn broken() -> Self {
        Self(mpsc::unbounded_channel().0)
    }

    /// Returns when everything written to the file before the call is on the disk.
    ///
    /// # Errors
    /// It may not be.
    pub async fn written(&self) -> io::Result<()> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(sender).map_err(io::Error::other)?;
        receiver.await.map_err(io::Error::other)?.map_err(io::Error::from)
    }
}

fn work(file: &File, mut receiver: mpsc::UnboundedReceiver<Waiting>) {
    let mut waiting = Vec::new();
    let mut result = Ok(());
    while receiver.blocking_recv_many(&mut waiting, usize::MAX) > 0 {
        // After a failure the system may have dropped what was not written, and would say that all is well the next time.
        result = result.and_then(|()| file.sync_data().map_err(|error| error.kind()));
        for one in waiting.drain(..) {
            // A client that went away waits no more.
            let _gone = one.send(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_answered() -> io::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let flush = Flush::start(file.path())?;
        let answers = futures::future::join_all((0..50).map(|_| flush.written())).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        Ok(())
    }
}
