use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use log_mailer::{Deadline, handle};
use serde_json::json;
use store::{DeliveryState, RecipientKey};

use crate::world::World;

/// Lets a future come as far as it gets by being polled so many times, and drops it there. Answers whether it came to its end.
async fn ends_within(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Kills the mailer at every point at which it can be, each time with another task for another person, and lets it go on.
async fn crash_everywhere(reported: bool) {
    let (mut doubled, mut points) = (0, 0);
    let world = World::new().await;
    let ada = world.person("Ada", &json!({}));
    let project = world.project("Boiler room", ada).await;
    loop {
        let name = format!("Ben{points}");
        let ben = world.person(&name, &json!({}));
        world.join(project, ben);
        let task = world.task(project, ada, json!({"title": "Fix the pump", "assignee": ben})).await;
        let resent_before = world.mailer.counts().resent;
        let ended = ends_within(handle(&world.mailer, World::queue([World::moved(&task)]), Deadline::from_now()), points).await;
        // What was asked for last may still be answered.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let was_sent = world.sent_to(&name).len();
        let was_recorded = !world.deliveries(&task).await.is_empty();
        let mailbox = async || world.mail.mailbox(&RecipientKey::User(ben)).await.expect("a read").claim;
        let open = mailbox().await;
        if let (true, Some(open)) = (reported && was_sent == 1, &open) {
            assert!(world.mail.mark_accepted(&open.recipient, open.id).await.expect("a write"));
        }
        world.recover(&[&task]).await;
        let in_the_window = was_sent == 1 && !was_recorded && !reported;
        assert_eq!(world.sent_to(&name).len(), 1 + usize::from(in_the_window), "killed at point {points}, {was_sent} sent");
        let resent = was_sent == 0 && open.is_some() || in_the_window;
        assert_eq!(world.mailer.counts().resent - resent_before, u64::from(resent), "killed at point {points}");
        assert!(world.owed(ben).await.is_empty());
        // Killed between its last two steps, a claim of nothing is left: who comes next ends it.
        assert!(mailbox().await.is_none_or(|it| was_recorded && it.is_expired(world.clock.now())), "killed at point {points}");
        let deliveries = world.deliveries(&task).await;
        assert!(deliveries.len() == 1 && deliveries[0].state == DeliveryState::Sent, "{deliveries:?}");
        doubled += usize::from(in_the_window);
        points += 1;
        if ended {
            assert!(points > 15, "it was killed at {points} points only");
            assert!(reported || doubled > 0, "the window was met");
            return;
        }
    }
}

#[tokio::test]
async fn a_mailer_killed_anywhere_loses_nothing_and_doubles_only_between_sending_and_recording() {
    crash_everywhere(false).await;
}

#[tokio::test]
async fn where_the_mail_service_reports_what_it_took_nothing_is_doubled_at_all() {
    crash_everywhere(true).await;
}
