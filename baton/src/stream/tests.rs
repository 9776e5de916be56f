use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::*;
use crate::{
    dynamodb::tests::{changes, put},
    template::Queue,
};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// What the stub was offered, call by call, by the items' versions.
type Offered = Arc<Mutex<Vec<Vec<u32>>>>;

fn version(record: &Value) -> u32 {
    record["dynamodb"]["Keys"]["version"]["N"].as_str().and_then(|it| it.parse().ok()).expect("a record with a version")
}

/// A publisher that answers as `answer` says of the versions and the records it was offered.
fn publisher(offered: &Offered, answer: impl Fn(&[u32], &[Value]) -> Result<Value, String> + Send + Sync + 'static) -> Function {
    let offered = offered.clone();
    Function::new("Publisher", move |event: Value| {
        let records = event["Records"].as_array().expect("records");
        let versions: Vec<u32> = records.iter().map(version).collect();
        let answer = answer(&versions, records);
        offered.lock().expect("nobody panicked").push(versions);
        async move { answer }
    })
}

/// A publisher that fails as a whole whenever it is offered `bad`.
fn fails_on(offered: &Offered, bad: u32) -> Function {
    publisher(offered, move |versions, _| if versions.contains(&bad) { Err("boom".to_owned()) } else { Ok(Value::Null) })
}

fn offered_so_far(offered: &Offered) -> Vec<Vec<u32>> {
    offered.lock().expect("nobody panicked").clone()
}

/// A database and queues on files in a folder, which a second reader can open again.
struct Place {
    folder: PathBuf,
    database: Arc<DynamoDb>,
    queues: Queues,
}

impl Place {
    fn open(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let given_up =
            Queue { name: "GivenUp".to_owned(), delay: Duration::ZERO, visibility: Duration::from_secs(60), redrive: None };
        Ok(Self {
            folder: folder.to_owned(),
            database: Arc::new(DynamoDb::start(Some(&folder.join("dynamodb.sqlite")), &[changes()])?),
            queues: Queues::open(Some(&folder.join("queues.sqlite")), &[given_up], store::Clock::system())?,
        })
    }

    fn stream(&self, function: Function, retries: Option<u32>) -> Stream {
        let mapping = Mapping {
            name: "Publish".to_owned(),
            function: "Publisher".to_owned(),
            source: "ChangesTable".to_owned(),
            batch_size: 8,
            retries,
            on_failure: Some("GivenUp".to_owned()),
        };
        Stream::new(mapping, self.database.clone(), self.queues.clone(), function, Arc::default())
    }

    fn restart(self) -> Result<Self, Box<dyn std::error::Error>> {
        let Self { folder, mut database, queues } = self;
        drop(queues);
        Arc::get_mut(&mut database).ok_or("a reader still has the database")?.stop();
        drop(database);
        Self::open(&folder)
    }

    /// Versions the position has not passed yet.
    fn unread(&self) -> Result<Vec<u32>, Box<dyn std::error::Error>> {
        let position = self.queues.position("ChangesTable")?;
        let records = self.database.stream_records("ChangesTable", position.as_deref(), 100)?;
        Ok(records.iter().map(version).collect())
    }
}

/// Steps until nothing is left, as [`Stream::run`] does without its pauses, but `most` times at most.
async fn step_through(stream: &Stream, most: usize) -> Result<(), StreamError> {
    let (mut batch_size, mut attempts) = (stream.mapping.batch_size, 0);
    for _ in 0..most {
        if stream.step(&mut batch_size, &mut attempts).await?.is_none() {
            break;
        }
    }
    Ok(())
}

#[tokio::test]
async fn halving_finds_the_one_record_that_fails_and_the_rest_goes_on() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    (1..=8).for_each(|version| put(&place.database, version));
    let offered = Offered::default();
    step_through(&place.stream(fails_on(&offered, 6), Some(1)), 100).await?;
    let calls = offered_so_far(&offered);
    assert_eq!(calls.iter().filter(|versions| **versions == [6]).count(), 2, "one attempt and one retry: {calls:?}");
    let taken: Vec<u32> = calls.iter().filter(|versions| !versions.contains(&6)).flatten().copied().collect();
    assert_eq!(taken, [1, 2, 3, 4, 5, 7, 8], "each once and in order");
    assert_eq!(place.unread()?, [0; 0]);
    Ok(())
}

#[tokio::test]
async fn a_partial_failure_moves_the_position_to_just_before_the_lowest_failed_record() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    (1..=5).for_each(|version| put(&place.database, version));
    let offered = Offered::default();
    let function = publisher(&offered, |_, records| {
        let failed = records.iter().rev().filter(|record| [3, 5].contains(&version(record)));
        let failed: Vec<Value> = failed.map(|record| json!({"itemIdentifier": sequence(record)})).collect();
        Ok(json!({"batchItemFailures": failed}))
    });
    step_through(&place.stream(function, None), 1).await?;
    assert_eq!(offered_so_far(&offered), [[1, 2, 3, 4, 5]]);
    assert_eq!(place.unread()?, [3, 4, 5]);
    Ok(())
}

#[tokio::test]
async fn an_identifier_that_was_not_offered_fails_the_whole_batch() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    (1..=4).for_each(|version| put(&place.database, version));
    let offered = Offered::default();
    let function = publisher(&offered, |_, _| Ok(json!({"batchItemFailures": [{"itemIdentifier": "7"}]})));
    step_through(&place.stream(function, None), 2).await?;
    assert_eq!(offered_so_far(&offered), [vec![1, 2, 3, 4], vec![1, 2]], "the half of it is tried next");
    assert_eq!(place.unread()?, [1, 2, 3, 4]);
    Ok(())
}

#[tokio::test]
async fn a_record_given_up_is_named_to_the_failure_queue_and_holds_nothing_back() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    (1..=3).for_each(|version| put(&place.database, version));
    let records = place.database.stream_records("ChangesTable", None, 100)?;
    step_through(&place.stream(fails_on(&Offered::default(), 2), Some(3)), 100).await?;
    assert_eq!(place.unread()?, [0; 0]);
    let letters = place.queues.peek("GivenUp")?;
    let [(letter, _)] = letters.as_slice() else { return Err(format!("one letter, not {letters:?}").into()) };
    let letter: Value = serde_json::from_str(letter)?;
    let info = &letter["DDBStreamBatchInfo"];
    assert_eq!((info["startSequenceNumber"].as_str(), info["batchSize"].as_u64()), (Some(sequence(&records[1])), Some(1)));
    assert_eq!(info["endSequenceNumber"], info["startSequenceNumber"]);
    assert_eq!(info["streamArn"], records[1]["eventSourceARN"]);
    assert_eq!(letter["requestContext"]["condition"], "RetryAttemptsExhausted");
    Ok(())
}

#[tokio::test]
async fn without_a_bound_on_retries_a_record_that_fails_is_never_passed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    (1..=3).for_each(|version| put(&place.database, version));
    step_through(&place.stream(fails_on(&Offered::default(), 2), None), 50).await?;
    assert_eq!(place.unread()?, [2, 3]);
    assert_eq!(place.queues.depth("GivenUp")?, 0);
    Ok(())
}

#[tokio::test]
async fn a_reader_goes_on_where_the_last_process_ended() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    (1..=2).for_each(|version| put(&place.database, version));
    let offered = Offered::default();
    step_through(&place.stream(fails_on(&offered, 0), None), 100).await?;
    let place = place.restart()?;
    put(&place.database, 3);
    step_through(&place.stream(fails_on(&offered, 0), None), 100).await?;
    assert_eq!(offered_so_far(&offered), [vec![1, 2], vec![3]]);
    Ok(())
}

#[tokio::test]
async fn a_record_that_may_not_be_on_the_disk_is_not_offered() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = Place::open(folder.path())?;
    put(&place.database, 1);
    let offered = Offered::default();
    let mut stream = place.stream(fails_on(&offered, 0), None);
    stream.flush = Some(Flush::broken());
    let error = step_through(&stream, 1).await.expect_err("it cannot be brought onto the disk");
    assert!(matches!(error, StreamError::Flush(_)), "{error}");
    assert_eq!(offered_so_far(&offered), Vec::<Vec<u32>>::new());
    assert_eq!(place.unread()?, [1]);
    Ok(())
}
