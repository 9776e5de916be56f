//! How the domain's closed sets look in the OpenAPI document.
//!
//! `domain` parses and writes them and knows nothing of OpenAPI; a test holds the two together.

use utoipa::ToSchema;

/// Where a task stands.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = Status, rename_all = "snake_case")]
pub enum StatusSchema {
    Waiting,
    InProgress,
    Done,
}

/// How pressing a task is.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = Priority, rename_all = "snake_case")]
pub enum PrioritySchema {
    None,
    Low,
    Medium,
    High,
    Urgent,
}

/// What a member may do: a viewer reads, an editor also writes tasks, an owner also keeps members and the project.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
pub enum RoleSchema {
    Viewer,
    Editor,
    Owner,
}

/// What became of the task.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = ChangeKind, rename_all = "snake_case")]
pub enum ChangeKindSchema {
    Created,
    Updated,
    Deleted,
}

/// How a member follows a project or a task beyond what concerns them: told of everything, or mailed of nothing.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = NewSubscriptionMode, rename_all = "snake_case")]
pub enum SubscriptionSchema {
    Watch,
    Mute,
}

/// What became of a mail: still to come, handed over, held back, or returned.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = DeliveryState, rename_all = "snake_case")]
pub enum DeliveryStateSchema {
    Waiting,
    Sent,
    Suppressed,
    Bounced,
}

/// The fields of a task that a change can name.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(as = FieldName, rename_all = "snake_case")]
pub enum FieldNameSchema {
    Title,
    Description,
    Status,
    Assignee,
    Priority,
    DueOn,
    Labels,
}

/// One field, from what to what; a description is named only, its text stands at the change itself.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = FieldChange)]
pub struct FieldChangeSchema {
    #[schema(value_type = FieldNameSchema)]
    pub name: FieldNameSchema,
    /// As the field is written in a task; null in a `created` change.
    #[schema(value_type = Option<Value>, required = false)]
    pub from: Option<serde_json::Value>,
    #[schema(value_type = Option<Value>, required = false)]
    pub to: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{ChangeKind, NewInvitation, NewProject, NewTask, Priority, Role, Status, Subscription, TaskPatch};
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use crate::members::MemberPatch;
    use crate::notifications::ReadThrough;
    use crate::projects::ProjectPatch;
    use crate::subscriptions::NewSubscription;

    fn document() -> Value {
        serde_json::to_value(crate::openapi()).expect("a document is JSON")
    }

    /// What a type says it would have accepted in place of something it does not know.
    fn known<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
        let error = serde_json::from_value::<T>(unknown).map(drop).expect_err("something unknown is refused").to_string();
        let (_, expected) = error.split_once(", expected").expect("the error says what is known");
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn check_fields<T: DeserializeOwned>(schema: &str) {
        let document = document();
        let properties = document["components"]["schemas"][schema]["properties"].as_object().expect("an object schema");
        let documented: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(documented, known::<T>(json!({"no such field": 1})), "{schema}");
    }

    fn check_values<T: DeserializeOwned>(schema: &str) {
        let document = document();
        let values = document["components"]["schemas"][schema]["enum"].as_array().expect("an enum schema");
        let documented: BTreeSet<String> = values.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
        assert_eq!(documented, known::<T>(json!("no such value")), "{schema}");
    }

    #[test]
    fn the_document_names_what_is_read_and_nothing_else() {
        check_fields::<NewTask>("NewTask");
        check_fields::<TaskPatch>("TaskPatch");
        check_fields::<NewProject>("NewProject");
        check_fields::<ProjectPatch>("ProjectPatch");
        check_fields::<NewInvitation>("NewInvitation");
        check_fields::<MemberPatch>("MemberPatch");
        check_fields::<NewSubscription>("NewSubscription");
        check_fields::<ReadThrough>("ReadThrough");
        check_values::<Subscription>("NewSubscriptionMode");
        check_values::<store::DeliveryState>("DeliveryState");
        check_values::<Status>("Status");
        check_values::<Priority>("Priority");
        check_values::<Role>("Role");
        check_values::<ChangeKind>("ChangeKind");
    }

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|it| references(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let place = reference.strip_prefix('#').and_then(|it| document.pointer(it));
            assert!(place.is_some(), "{reference}");
        }
    }

    #[test]
    fn every_route_of_the_contract_is_there() {
        let document = document();
        let routes: BTreeSet<String> = document["paths"]
            .as_object()
            .expect("paths")
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().expect("methods by name");
                methods.keys().map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let expected: BTreeSet<String> = [
            "GET /v1/projects",
            "POST /v1/projects",
            "GET /v1/projects/{project}",
            "PATCH /v1/projects/{project}",
            "DELETE /v1/projects/{project}",
            "GET /v1/projects/{project}/invitations",
            "POST /v1/projects/{project}/invitations",
            "DELETE /v1/projects/{project}/invitations/{invitation}",
            "GET /v1/me/invitations",
            "POST /v1/me/invitations/{project}/accept",
            "DELETE /v1/me/invitations/{project}",
            "GET /v1/projects/{project}/members",
            "PATCH /v1/projects/{project}/members/{user}",
            "DELETE /v1/projects/{project}/members/{user}",
            "GET /v1/projects/{project}/tasks",
            "POST /v1/projects/{project}/tasks",
            "GET /v1/tasks",
            "GET /v1/projects/{project}/tasks/{task}",
            "PATCH /v1/projects/{project}/tasks/{task}",
            "DELETE /v1/projects/{project}/tasks/{task}",
            "GET /v1/projects/{project}/changes",
            "GET /v1/projects/{project}/tasks/{task}/changes",
            "GET /v1/projects/{project}/tasks/{task}/changes/{version}",
            "GET /v1/projects/{project}/tasks/{task}/changes/{version}/deliveries",
            "GET /v1/projects/{project}/subscription",
            "PUT /v1/projects/{project}/subscription",
            "DELETE /v1/projects/{project}/subscription",
            "GET /v1/projects/{project}/tasks/{task}/subscription",
            "PUT /v1/projects/{project}/tasks/{task}/subscription",
            "DELETE /v1/projects/{project}/tasks/{task}/subscription",
            "GET /v1/notifications",
            "GET /v1/notifications/unread",
            "POST /v1/notifications/read",
            "POST /v1/notifications/{notification}/read",
        ]
        .map(str::to_owned)
        .into();
        assert_eq!(routes, expected);
    }
}
