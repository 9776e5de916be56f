use super::*;
use crate::template::Redrive;

fn declared(delay: Duration) -> [Queue; 2] {
    let visibility = Duration::from_secs(60);
    let redrive = Some(Redrive { queue: "Dead".to_owned(), max_receive_count: 2 });
    [
        Queue { name: "Mail".to_owned(), delay, visibility, redrive },
        Queue { name: "Dead".to_owned(), delay: Duration::ZERO, visibility, redrive: None },
    ]
}

fn queues(delay: Duration) -> Queues {
    Queues::open(None, &declared(delay), Clock::system()).expect("queues open in memory")
}

#[test]
fn a_received_message_is_hidden_until_it_is_released_and_gone_once_deleted() -> Result<(), QueueError> {
    let queues = queues(Duration::ZERO);
    queues.send(&[("Mail", "one"), ("Mail", "two")])?;
    let received = queues.receive("Mail", 10)?;
    assert_eq!(received.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(queues.receive("Mail", 10)?, []);
    queues.release([&received[0]], Duration::ZERO)?;
    queues.delete([&received[1]])?;
    let again = queues.receive("Mail", 10)?;
    assert_eq!((again.len(), again[0].received), (1, 2));
    queues.delete([&received[0]])?;
    assert_eq!(queues.depth("Mail")?, 1, "a receipt of before deletes nothing");
    Ok(())
}

#[test]
fn a_message_received_too_often_becomes_a_dead_letter() -> Result<(), QueueError> {
    let queues = queues(Duration::ZERO);
    queues.send(&[("Mail", "poison")])?;
    for _ in 0..2 {
        let received = queues.receive("Mail", 10)?;
        assert_eq!(received.len(), 1);
        queues.release(&received, Duration::ZERO)?;
    }
    assert_eq!(queues.receive("Mail", 10)?, []);
    assert_eq!((queues.depth("Mail")?, queues.depth("Dead")?), (0, 1));
    Ok(())
}

#[test]
fn a_delayed_message_is_counted_and_received_when_its_time_has_come_by_the_queues_clock() -> Result<(), QueueError> {
    let clock = Clock::system();
    let queues = Queues::open(None, &declared(Duration::from_secs(60)), clock.clone())?;
    queues.send(&[("Mail", "later")])?;
    assert_eq!((queues.receive("Mail", 10)?.len(), queues.depth("Mail")?, queues.depth_now("Mail")?), (0, 1, 0));
    clock.advance(jiff::SignedDuration::from_secs(61));
    assert_eq!((queues.depth_now("Mail")?, queues.receive("Mail", 10)?.len(), queues.depth_now("Mail")?), (1, 1, 1));
    Ok(())
}

#[tokio::test]
async fn whoever_waits_for_a_delayed_message_learns_that_the_clock_was_set_forward() -> Result<(), QueueError> {
    let clock = Clock::system();
    let queues = Queues::open(None, &declared(Duration::from_secs(600)), clock.clone())?;
    queues.send(&[("Mail", "later")])?;
    clock.advance(jiff::SignedDuration::from_secs(601));
    while queues.receive("Mail", 10)?.is_empty() {
        queues.wait("Mail").await?;
    }
    Ok(())
}

#[test]
fn messages_positions_and_receive_counts_outlive_the_process() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("queues.sqlite");
    let before = Queues::open(Some(&file), &declared(Duration::ZERO), Clock::system())?;
    before.send(&[("Mail", "kept")])?;
    before.receive("Mail", 1)?;
    before.set_position("Changes", "12")?;
    drop(before);
    let after = Queues::open(Some(&file), &declared(Duration::ZERO), Clock::system())?;
    let received = after.receive("Mail", 10)?;
    assert_eq!((received.len(), received[0].received), (1, 2), "what was in flight is visible at once");
    assert_eq!(after.position("Changes")?.as_deref(), Some("12"));
    Ok(())
}

#[test]
fn an_unknown_queue_is_refused() {
    let error = queues(Duration::ZERO).send(&[("Mail", "x"), ("Nowhere", "y")]).expect_err("there is no such queue");
    assert_eq!(error.to_string(), "there is no queue Nowhere");
}
