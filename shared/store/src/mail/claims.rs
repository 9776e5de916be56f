use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ClaimId, Rhythm};
use jiff::{SignedDuration, Timestamp};
use tracing::error;

use super::parts::{FORGOTTEN_AFTER, part_item, part_key};
use crate::item::{Item, json, number, text};
use crate::table::scan::Scan;
use crate::table::write::{MOST_WRITES, Write, transact};
use crate::{Mail, Part, RecipientKey, StoreError, keys};

/// This very attempt. A holder whose lease ran out is of an earlier one, and changes nothing of what its successor holds.
const THIS: &str = "#claim = :claim AND #attempt = :attempt";

/// Of an open claim, and of nothing else.
const OPEN: &str = "#claim, #parts, #attempt, #opened_at, #lease_until, #accepted, #unknown";

const SET_RHYTHM: &str = ", #expires_at = :expires_at, #told_at = :told_at, #spacing_millis = :spacing_millis";

/// How long a mailbox without an open claim is kept, also where it holds no rhythm: for the repetition of a lost answer.
const KEPT_AT_LEAST: SignedDuration = SignedDuration::from_hours(1);

/// What is known of a recipient besides what they are owed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The open claim.
    pub claim: Option<Claim>,
    pub rhythm: Option<Rhythm>,
}

/// One attempt to tell one recipient: the parts as frozen, until when nobody else may act on them. One per recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: ClaimId,
    pub recipient: RecipientKey,
    /// At most [`crate::MOST_PARTS_PER_CLAIM`].
    pub parts: Vec<Part>,
    /// From 1; more where an earlier attempt was not closed before its lease ran out.
    pub attempt: u32,
    pub opened_at: Timestamp,
    pub lease_until: Timestamp,
    /// The mail service has reported that it took the mail of this or an earlier attempt: nothing is to be sent any more.
    pub accepted: bool,
    /// The holder of this attempt could not learn whether the mail was taken, and has left it.
    pub unknown: bool,
}

impl Claim {
    /// Whether its holder has had its time.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.lease_until <= now
    }

    fn is_same_attempt(&self, other: &Self) -> bool {
        self.id == other.id && self.attempt == other.attempt && self.lease_until == other.lease_until
    }

    /// How a closed attempt is remembered.
    fn closed(&self) -> String {
        format!("{}#{}", self.id, self.attempt)
    }
}

impl Mail {
    /// The recipient's open claim and rhythm, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn mailbox(&self, recipient: &RecipientKey) -> Result<Mailbox, StoreError> {
        let item = self.read_mailbox(recipient).await?;
        item.map_or_else(|| Ok(Mailbox::default()), |it| mailbox(recipient, &it))
    }

    async fn read_mailbox(&self, recipient: &RecipientKey) -> Result<Option<Item>, StoreError> {
        self.table.get("read the claim", keys::claim(recipient)).await
    }

    /// Opens a claim.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the recipient has an open one.
    pub async fn open_claim(&self, claim: &Claim) -> Result<(), StoreError> {
        let Claim { id, recipient, parts, attempt, opened_at, lease_until, accepted: _, unknown: _ } = claim;
        let set = "SET #claim = :claim, #parts = :parts, #attempt = :attempt, #opened_at = :opened_at, \
                   #lease_until = :lease_until, #expires_at = :expires_at";
        let write = Write::update(&self.table, keys::claim(recipient), set)
            .when("attribute_not_exists(#claim)")
            .value(":claim", text(id))
            .value(":parts", json(parts)?)
            .value(":attempt", number(*attempt))
            .value(":opened_at", text(keys::timestamp(*opened_at)))
            .value(":lease_until", text(keys::timestamp(*lease_until)))
            .value(":expires_at", forgotten_after(*lease_until)?);
        self.unless_mine(write.run("open a claim").await, claim).await
    }

    /// Takes a claim over whose lease has run out, or whose holder does not know that the mail was taken, though it was reported since:
    /// the same claim and parts, the next attempt. Where `accepted`, it is only to be closed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is closed, taken over by another, reported as accepted since it was read, or not expired.
    pub async fn take_over(&self, claim: &Claim, now: Timestamp, lease_until: Timestamp) -> Result<Claim, StoreError> {
        let taken = Claim { attempt: claim.attempt + 1, lease_until, unknown: false, ..claim.clone() };
        // A holder that has left a mail of unknown outcome does nothing more. Before its lease ends the claim is still not to be taken
        // for sending again, since the report may be on its way: only to be closed on that report.
        let left = "#unknown = :true";
        let over = "#lease_until <= :now";
        let as_read = if claim.accepted { "#accepted = :true" } else { "attribute_not_exists(#accepted)" };
        let set = "SET #attempt = :taken, #lease_until = :lease_until, #expires_at = :expires_at REMOVE #unknown";
        let write = self.update(claim, set).value(":taken", number(taken.attempt));
        let write = write.value(":lease_until", text(keys::timestamp(lease_until)));
        let write = write.value(":expires_at", forgotten_after(lease_until)?).value(":now", text(keys::timestamp(now)));
        let write = if claim.accepted {
            let condition = format!("{THIS} AND {as_read} AND ({over} OR {left})");
            write.when(&condition).value(":true", AttributeValue::Bool(true))
        } else {
            write.when(&format!("{THIS} AND {as_read} AND {over}"))
        };
        self.unless_mine(write.run("take a claim over").await, &taken).await?;
        Ok(taken)
    }

    /// Says that the outcome of this claim will not be known to its holder, who leaves it until `lease_until`. Answers whether the mail
    /// service has reported meanwhile that it took the mail: then it can be closed at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where this attempt is not open any more.
    pub async fn mark_unknown(&self, claim: &Claim, lease_until: Timestamp) -> Result<bool, StoreError> {
        let write = self.update(claim, "SET #unknown = :true, #lease_until = :lease_until");
        let write = write.value(":true", AttributeValue::Bool(true)).value(":lease_until", text(keys::timestamp(lease_until)));
        write.run("mark a claim's outcome as unknown").await?;
        let open = self.mailbox(&claim.recipient).await?.claim;
        Ok(open.is_some_and(|it| it.id == claim.id && it.attempt == claim.attempt && it.accepted))
    }

    /// Notes that the mail service took the mail of the recipient's open claim, whichever attempt, if that is this claim. Answers whether
    /// it is. Nothing is written of a claim that is closed already, as most are when the report comes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn mark_accepted(&self, recipient: &RecipientKey, id: ClaimId) -> Result<bool, StoreError> {
        match self.mailbox(recipient).await?.claim {
            Some(open) if open.id == id && open.accepted => return Ok(true),
            Some(open) if open.id == id => {}
            _ => return Ok(false),
        }
        let write = Write::update(&self.table, keys::claim(recipient), "SET #accepted = :true").when("#claim = :claim");
        let write = write.value(":claim", text(id)).value(":true", AttributeValue::Bool(true));
        match write.run("mark a claim as accepted").await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An update of this attempt's claim.
    fn update(&self, claim: &Claim, expression: &str) -> Write {
        let write = Write::update(&self.table, keys::claim(&claim.recipient), expression);
        write.when(THIS).value(":claim", text(claim.id)).value(":attempt", number(claim.attempt))
    }

    /// Ends an attempt, and keeps what else is known of the recipient. By `closed`, whoever did it finds it done.
    fn release_write(&self, claim: &Claim, and_set: &str, and_remove: &str) -> Write {
        let expression = format!("SET #closed = :closed{and_set} REMOVE {OPEN}{and_remove}");
        self.update(claim, &expression).value(":closed", text(claim.closed()))
    }

    /// The SDK repeats a write whose answer was lost: a refusal that finds the claim as wanted is no refusal.
    async fn unless_mine(&self, outcome: Result<(), StoreError>, wanted: &Claim) -> Result<(), StoreError> {
        match outcome {
            Err(conflict @ StoreError::Conflict { .. }) => match self.mailbox(&wanted.recipient).await?.claim {
                Some(stored) if stored.is_same_attempt(wanted) => Ok(()),
                _ => Err(conflict),
            },
            outcome => outcome,
        }
    }

    /// As [`Self::unless_mine`], of a release.
    async fn unless_closed(&self, outcome: Result<(), StoreError>, claim: &Claim) -> Result<(), StoreError> {
        match outcome {
            Err(conflict @ StoreError::Conflict { .. }) => {
                let closed = self.read_mailbox(&claim.recipient).await?.map(|it| it.some_word::<String>("closed")).transpose()?;
                if closed.flatten() == Some(claim.closed()) { Ok(()) } else { Err(conflict) }
            }
            outcome => outcome,
        }
    }

    /// Takes a claim's parts away, then the claim: the recipient was told, or is not to be, and that was recorded
    /// ([`Mail::record_deliveries`]). The rhythm is the recipient's from now on; none, where nothing has to be kept apart.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where this attempt is not open any more; its parts are gone all the same.
    pub async fn close(&self, claim: &Claim, rhythm: Option<&Rhythm>) -> Result<(), StoreError> {
        // In this order and in no transaction, which would cost twice as much. Whoever opens the next claim finds the parts gone. Whoever
        // dies in between leaves an open claim with its outcome recorded, which its successor only closes. And a holder whose lease ran
        // out takes away what it has told itself: even where its successor postponed that meanwhile, it is owed no more. No other part can
        // ever have the key of one of these: no version of a task is planned twice.
        let parts = claim.parts.iter().map(part_key).collect();
        self.table.delete_keys("take away what was owed", parts).await?;
        let release = match rhythm {
            Some(rhythm @ Rhythm { told_at, spacing }) => self
                .release_write(claim, SET_RHYTHM, "")
                .value(":told_at", text(keys::timestamp(*told_at)))
                .value(":spacing_millis", number(spacing.as_millis()))
                .value(":expires_at", seconds(rhythm.forgotten_at().max(claim.lease_until), KEPT_AT_LEAST)?),
            None => self
                .release_write(claim, ", #expires_at = :expires_at", ", #told_at, #spacing_millis")
                .value(":expires_at", seconds(claim.lease_until, KEPT_AT_LEAST)?),
        };
        self.unless_closed(release.run("close the claim").await, claim).await
    }

    /// Releases the claim and makes its parts due later; the rhythm stays.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where this attempt is not open any more, or a part is gone: then those not yet postponed, and the claim,
    /// stay as they are.
    pub async fn postpone(&self, claim: &Claim, until: Timestamp) -> Result<(), StoreError> {
        let step = "postpone what is owed";
        let mut later = Vec::with_capacity(claim.parts.len());
        for part in &claim.parts {
            later.push(self.postponed(part, until)?);
        }
        // Each transaction holds the claim: a holder whose lease ran out must not bring back what its successor has told.
        while later.len() >= MOST_WRITES {
            let mut writes = later.split_off(later.len() - (MOST_WRITES - 1));
            let check = Write::check(&self.table, keys::claim(&claim.recipient)).when(THIS);
            writes.push(check.value(":claim", text(claim.id)).value(":attempt", number(claim.attempt)));
            transact(step, writes).await?.or_conflict(step)?;
        }
        later.push(self.release_write(claim, "", ""));
        transact(step, later).await?.or_conflict(step)
    }

    /// Ends an attempt and leaves its parts as they are, for whoever comes next. For operators.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where this attempt is not open any more.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let released = self.release_write(claim, "", "").run("release the claim").await;
        self.unless_closed(released, claim).await
    }

    /// A part that is still there, due at another time.
    fn postponed(&self, part: &Part, until: Timestamp) -> Result<Write, StoreError> {
        let item = part_item(&Part { due_at: until, ..part.clone() })?;
        let set = "SET #due_at = :due_at, #due_sk = :due_sk, #expires_at = :expires_at";
        Ok(Write::update(&self.table, part_key(part), set)
            .when("attribute_exists(#pk)")
            .value(":due_at", text(item.text("due_at")?))
            .value(":due_sk", text(item.text("due_sk")?))
            .value(":expires_at", number(item.number::<i64>("expires_at")?)))
    }

    /// Lets every open claim expire now. Only for whoever knows that nobody else is at work: the whole table is read, since a claim whose
    /// parts are taken away already is found by nothing else, and would hold up whatever its recipient is owed next. Answers how many
    /// there were. One that cannot be read is logged and left.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn expire_claims(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut scan = Scan::new(&self.table).only("#sk = :sk AND attribute_exists(#claim)").value(":sk", text(keys::CLAIM));
        let mut expired = 0;
        while let Some(page) = scan.next_page("read what claims are open").await? {
            for item in &page {
                let claim = match claim_of(item) {
                    Ok(claim) if claim.is_expired(now) => continue,
                    Ok(claim) => claim,
                    Err(error) => {
                        error!(error = &error as &dyn std::error::Error, "a claim cannot be read");
                        continue;
                    }
                };
                let write = self.update(&claim, "SET #lease_until = :now").value(":now", text(keys::timestamp(now)));
                match write.run("let a claim expire").await {
                    // Whoever had it has ended it since, or somebody has taken it over.
                    Err(StoreError::Conflict { .. }) => {}
                    outcome => {
                        outcome?;
                        expired += 1;
                    }
                }
            }
        }
        Ok(expired)
    }
}

/// A claim that nobody ends is forgotten as late as what is owed.
fn forgotten_after(lease_until: Timestamp) -> Result<AttributeValue, StoreError> {
    seconds(lease_until, FORGOTTEN_AFTER)
}

fn seconds(from: Timestamp, after: SignedDuration) -> Result<AttributeValue, StoreError> {
    let at = from.saturating_add(after).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(number(at.as_second()))
}

fn mailbox(recipient: &RecipientKey, item: &Item) -> Result<Mailbox, StoreError> {
    let claim = if item.has("claim") { Some(claim(recipient, item)?) } else { None };
    let rhythm = match item.some_word("told_at")? {
        Some(told_at) => Some(Rhythm { told_at, spacing: SignedDuration::from_millis(item.number("spacing_millis")?) }),
        None => None,
    };
    Ok(Mailbox { claim, rhythm })
}

/// The open claim of an item of which no more is known than that it is one.
pub(crate) fn claim_of(item: &Item) -> Result<Claim, StoreError> {
    let partition = item.text("pk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{partition} is not the partition of a recipient") };
    claim(&keys::recipient_of_partition(partition).ok_or_else(corrupt)?, item)
}

fn claim(recipient: &RecipientKey, item: &Item) -> Result<Claim, StoreError> {
    Ok(Claim {
        id: item.word("claim")?,
        recipient: recipient.clone(),
        parts: parts(item)?,
        attempt: item.number("attempt")?,
        opened_at: item.word("opened_at")?,
        lease_until: item.word("lease_until")?,
        accepted: item.has("accepted"),
        unknown: item.has("unknown"),
    })
}

/// The frozen parts. One that cannot be read, as after a step back to an older release, is logged and left out: its claim must end all
/// the same, or its recipient would never be told anything again.
fn parts(item: &Item) -> Result<Vec<Part>, StoreError> {
    let parts: Vec<serde_json::Value> = item.json("parts")?;
    let parts = parts.into_iter().map(serde_json::from_value).inspect(|it| {
        if let Err(error) = it {
            error!(error = error as &dyn std::error::Error, "a part of a claim cannot be read, so it is left out");
        }
    });
    Ok(parts.flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::super::parts::tests::{letter_part, task_part};
    use super::*;
    use crate::keys::tests::{TASK, USER, at};

    fn open_item(parts: AttributeValue) -> Item {
        Item::new(keys::claim(&RecipientKey::User(USER)))
            .with("claim", text(ClaimId(TASK.0)))
            .with("parts", parts)
            .with("attempt", number(2))
            .with("opened_at", text("2026-11-20T11:00:00.000000000Z"))
            .with("lease_until", text("2026-11-20T11:05:00.000000001Z"))
    }

    #[test]
    fn a_lease_ends_at_its_very_end() {
        let recipient = RecipientKey::User(USER);
        let open = claim(&recipient, &open_item(json(&[task_part()]).expect("JSON"))).expect("a claim");
        assert!(!open.is_expired(at("2026-11-20T11:05:00Z")));
        assert!(open.is_expired(open.lease_until));
    }

    #[test]
    fn a_claim_with_a_part_that_cannot_be_read_still_comes_to_its_end() {
        let parts = format!("[{}, {{\"pigeon\": {{}}}}, {}]", written(&task_part()), written(&letter_part()));
        let open = claim(&RecipientKey::User(USER), &open_item(text(parts))).expect("a claim");
        assert_eq!(open.parts, [task_part(), letter_part()]);
    }

    fn written(part: &Part) -> String {
        serde_json::to_string(part).expect("JSON")
    }
}
