use std::collections::HashMap;

use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use uuid::Uuid;

use super::{TOTAL, Table, back_off};
use crate::StoreError;
use crate::item::{Attributes, Item};
use crate::keys::Key;

/// What DynamoDB takes in one TransactWriteItems.
pub(crate) const MOST_WRITES: usize = 100;

/// One write, alone or as a part of a transaction. In its expressions every attribute is written `#name`, so that no
/// word of DynamoDB's long list of reserved ones can get in the way.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    table: Table,
    action: Action,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

#[derive(Clone, Debug)]
enum Action {
    Put(Attributes),
    Update { key: Attributes, expression: String },
    Delete(Attributes),
    Check(Attributes),
}

/// How a transaction went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Transacted {
    Done,
    /// Nothing was written, because the conditions of the writes at these places did not hold.
    Refused(Vec<usize>),
}

impl Transacted {
    pub(crate) fn or_conflict(self, step: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Done => Ok(()),
            Self::Refused(_) => Err(StoreError::Conflict { step }),
        }
    }
}

impl Write {
    pub(crate) fn put(table: &Table, item: Item) -> Self {
        Self::new(table, Action::Put(item.into()))
    }

    /// A put that refuses to replace anything.
    pub(crate) fn create(table: &Table, item: Item) -> Self {
        Self::put(table, item).when("attribute_not_exists(#pk)")
    }

    pub(crate) fn update(table: &Table, key: Key, expression: &str) -> Self {
        let mut write = Self::new(table, Action::Update { key: key.into(), expression: expression.to_owned() });
        write.names.extend(names_in(expression));
        write
    }

    pub(crate) fn delete(table: &Table, key: Key) -> Self {
        Self::new(table, Action::Delete(key.into()))
    }

    /// Only a condition; in transactions only.
    pub(crate) fn check(table: &Table, key: Key) -> Self {
        Self::new(table, Action::Check(key.into()))
    }

    fn new(table: &Table, action: Action) -> Self {
        Self { table: table.clone(), action, condition: None, names: HashMap::new(), values: HashMap::new() }
    }

    pub(crate) fn when(mut self, condition: &str) -> Self {
        self.names.extend(names_in(condition));
        self.condition = Some(condition.to_owned());
        self
    }

    pub(crate) fn is_delete(&self) -> bool {
        matches!(self.action, Action::Delete(_))
    }

    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// For an attribute whose name cannot stand in an expression.
    pub(crate) fn name(mut self, placeholder: &str, name: String) -> Self {
        self.names.insert(placeholder.to_owned(), name);
        self
    }

    /// Writes this alone.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the condition does not hold, or collisions with transactions do not end.
    pub(crate) async fn run(self, step: &'static str) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.clone().send(step).await {
                Err(StoreError::Unavailable { source, .. }) if source.is::<Contended>() => {
                    tries += 1;
                    back_off(step, tries).await.map_err(|_| StoreError::Conflict { step })?;
                }
                outcome => return outcome,
            }
        }
    }

    async fn send(self, step: &'static str) -> Result<(), StoreError> {
        let Self { table, action, condition, names, values } = self;
        let names = Some(names).filter(|it| !it.is_empty());
        let values = Some(values).filter(|it| !it.is_empty());
        let Table { client, name } = table;
        match action {
            Action::Put(item) => {
                let request = client.put_item().table_name(&*name).set_item(Some(item)).set_condition_expression(condition);
                let request = request.set_expression_attribute_names(names).set_expression_attribute_values(values);
                let answer = request.return_consumed_capacity(TOTAL).send().await;
                answer.map(drop).map_err(|error| StoreError::from_sdk(step, error))
            }
            Action::Update { key, expression } => {
                let request = client.update_item().table_name(&*name).set_key(Some(key)).update_expression(expression);
                let request = request.set_condition_expression(condition);
                let request = request.set_expression_attribute_names(names).set_expression_attribute_values(values);
                let answer = request.return_consumed_capacity(TOTAL).send().await;
                answer.map(drop).map_err(|error| StoreError::from_sdk(step, error))
            }
            Action::Delete(key) => {
                let request = client.delete_item().table_name(&*name).set_key(Some(key)).set_condition_expression(condition);
                let request = request.set_expression_attribute_names(names).set_expression_attribute_values(values);
                let answer = request.return_consumed_capacity(TOTAL).send().await;
                answer.map(drop).map_err(|error| StoreError::from_sdk(step, error))
            }
            Action::Check(_) => Err(StoreError::Refused { step, source: "a check stands in transactions only".into() }),
        }
    }

    fn into_item(self) -> Result<TransactWriteItem, BuildError> {
        let Self { table, action, condition, names, values } = self;
        let names = Some(names).filter(|it| !it.is_empty());
        let values = Some(values).filter(|it| !it.is_empty());
        let item = TransactWriteItem::builder();
        let name = &*table.name;
        Ok(match action {
            Action::Put(new) => {
                let put = Put::builder().table_name(name).set_item(Some(new)).set_condition_expression(condition);
                let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.put(put.build()?).build()
            }
            Action::Update { key, expression } => {
                let update = Update::builder().table_name(name).set_key(Some(key)).update_expression(expression);
                let update = update.set_condition_expression(condition);
                let update = update.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.update(update.build()?).build()
            }
            Action::Delete(key) => {
                let delete = Delete::builder().table_name(name).set_key(Some(key)).set_condition_expression(condition);
                let delete = delete.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.delete(delete.build()?).build()
            }
            Action::Check(key) => {
                let check = ConditionCheck::builder().table_name(name).set_key(Some(key)).set_condition_expression(condition);
                let check = check.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.condition_check(check.build()?).build()
            }
        })
    }
}

/// All of it or nothing. A collision with another transaction is tried again here: the conditions decide who was first.
///
/// Every attempt has the same token, so that one whose answer was lost is known again, and not taken for somebody else's. The API
/// reference says so of what was done; that what was cancelled is tried anew under its token says
/// <https://www.alexdebrie.com/posts/dynamodb-transactions/>. Were it not, the collisions would seem not to end.
///
/// # Errors
/// [`StoreError::Conflict`], where the collisions do not end.
pub(crate) async fn transact(step: &'static str, writes: Vec<Write>) -> Result<Transacted, StoreError> {
    let Some(Table { client, .. }) = writes.first().map(|it| it.table.clone()) else { return Ok(Transacted::Done) };
    let items: Result<Vec<TransactWriteItem>, BuildError> = writes.into_iter().map(Write::into_item).collect();
    let items = items.map_err(|error| StoreError::Refused { step, source: error.into() })?;
    let token = Uuid::now_v7().to_string();
    let mut tries = 0;
    loop {
        let request = client.transact_write_items().set_transact_items(Some(items.clone())).return_consumed_capacity(TOTAL);
        let request = request.client_request_token(&token);
        let Err(error) = request.send().await else { return Ok(Transacted::Done) };
        match verdict(&error) {
            Verdict::Refused(places) => return Ok(Transacted::Refused(places)),
            // In progress is an earlier attempt of ours: asked for again, it tells its outcome.
            Verdict::InProgress | Verdict::Throttled => {
                tries += 1;
                back_off(step, tries).await?;
            }
            Verdict::Contended => {
                tries += 1;
                back_off(step, tries).await.map_err(|_| StoreError::Conflict { step })?;
            }
            Verdict::Other => return Err(StoreError::from_sdk(step, error)),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Refused(Vec<usize>),
    InProgress,
    Contended,
    Throttled,
    Other,
}

fn verdict<R>(error: &SdkError<TransactWriteItemsError, R>) -> Verdict {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled,
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => return Verdict::InProgress,
        _ => return Verdict::Other,
    };
    let codes: Vec<&str> = cancelled.cancellation_reasons().iter().map(|it| it.code().unwrap_or("None")).collect();
    let places: Vec<usize> = (0..codes.len()).filter(|place| codes[*place] == "ConditionalCheckFailed").collect();
    let is_throttle = |code: &&str| matches!(*code, "ThrottlingError" | "ProvisionedThroughputExceeded");
    if !places.is_empty() {
        Verdict::Refused(places)
    } else if codes.contains(&"TransactionConflict") {
        Verdict::Contended
    } else if codes.iter().any(is_throttle) {
        Verdict::Throttled
    } else {
        Verdict::Other
    }
}

/// The source of an error that is worth another try at once.
#[derive(Debug, thiserror::Error)]
#[error("another transaction is writing the same item")]
pub(crate) struct Contended;

/// The attribute names an expression mentions as `#name`.
pub(crate) fn names_in(expression: &str) -> HashMap<String, String> {
    let words = expression.split('#').skip(1).map(|rest| {
        let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    words.map(|word| (format!("#{word}"), word)).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::{TransactionCanceledException, TransactionInProgressException};

    use super::*;

    fn check(codes: &[&str], expected: &Verdict) {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        let cancelled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build();
        let error = SdkError::service_error(TransactWriteItemsError::TransactionCanceledException(cancelled), ());
        assert_eq!(verdict(&error), *expected, "{codes:?}");
    }

    #[test]
    fn a_cancelled_transaction_is_judged_by_the_reason_of_each_item() {
        check(&["None", "ConditionalCheckFailed"], &Verdict::Refused(vec![1]));
        check(&["ConditionalCheckFailed", "TransactionConflict"], &Verdict::Refused(vec![0]));
        check(&["None", "TransactionConflict"], &Verdict::Contended);
        check(&["ThrottlingError"], &Verdict::Throttled);
        check(&["ValidationError"], &Verdict::Other);
    }

    #[test]
    fn a_transaction_still_at_work_is_asked_for_again_and_not_begun_anew() {
        let busy = TransactionInProgressException::builder().build();
        let error = SdkError::service_error(TransactWriteItemsError::TransactionInProgressException(busy), ());
        assert_eq!(verdict(&error), Verdict::InProgress);
    }

    #[test]
    fn expressions_name_their_attributes() {
        let names = names_in("#version = :version AND attribute_not_exists(#left_at)");
        assert_eq!(names.len(), 2);
        assert_eq!(names.get("#left_at").map(String::as_str), Some("left_at"));
    }
}
