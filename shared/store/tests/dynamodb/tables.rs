use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::Database;
use serde_json::{Value, json};
use store::{Changes, Environment, Mail, Work, client};
use tokio::net::TcpListener;

use self::wire::Wire;

mod wire;

/// The tables behind a client whose wire can be disturbed.
pub(crate) struct Tables {
    pub(crate) mail: Mail,
    pub(crate) changes: Changes,
    pub(crate) work: Work,
    client: aws_sdk_dynamodb::Client,
    wire: Arc<Mutex<Wire>>,
}

impl Tables {
    /// Empty ones, in a database of their own.
    pub(crate) async fn new() -> Self {
        let database = Database::memory().expect("a database in memory");
        for table in [work(), changes(), mail()] {
            let create = serde_json::from_value(table).expect("a table");
            database.create_table(create).expect("the table is made");
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let mut settings = vec![("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint)];
        settings.extend(["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|it| (it.to_owned(), "x".to_owned())));
        let config = client::sdk_config(&mut Environment::from_settings(settings));
        let wire = Arc::new(Mutex::new(Wire::default()));
        let config = aws_sdk_dynamodb::config::Builder::from(&config).interceptor(wire::Tap(Arc::clone(&wire))).build();
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        Self {
            mail: Mail::new(client.clone(), "mail"),
            changes: Changes::new(client.clone(), "changes"),
            work: Work::new(client.clone(), "work"),
            client,
            wire,
        }
    }

    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attribute as it is stored in the table of mails.
    pub(crate) async fn stored(&self, partition: &str, sort: &str, attribute: &str) -> Option<AttributeValue> {
        let get = self.client.get_item().table_name("mail").key("pk", AttributeValue::S(partition.to_owned()));
        let answer = get.key("sk", AttributeValue::S(sort.to_owned())).consistent_read(true).send().await;
        answer.expect("the table answers").item?.remove(attribute)
    }

    /// The end of an item's life, in seconds since the epoch.
    pub(crate) async fn expires_at(&self, partition: &str, sort: &str) -> Option<i64> {
        self.stored(partition, sort, "expires_at").await.map(|it| it.as_n().expect("a number").parse().expect("whole seconds"))
    }

    /// Writes an attribute that the store would not.
    pub(crate) async fn spoil(&self, table: &str, key: [(&str, AttributeValue); 2], attribute: &str, value: &str) {
        let [partition, sort] = key.map(|(name, value)| (name.to_owned(), value));
        let update = self.client.update_item().table_name(table).key(partition.0, partition.1).key(sort.0, sort.1);
        let update = update.update_expression("SET #it = :it").expression_attribute_names("#it", attribute);
        let update = update.expression_attribute_values(":it", AttributeValue::S(value.to_owned()));
        update.send().await.expect("the item is updated");
    }
}

fn table(name: &str, sort_type: &str, sort: &str, indexes: &[(&str, &str, &str, &str)]) -> Value {
    let attribute = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let key = |hash: &str, range: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let mut attributes = vec![attribute("pk", "S"), attribute(sort, sort_type)];
    let mut secondary = Vec::new();
    for (index, hash, range, projection) in indexes {
        for name in [hash, range] {
            if attributes.iter().all(|it| it["AttributeName"] != **name) {
                attributes.push(attribute(name, "S"));
            }
        }
        let projection = json!({"ProjectionType": projection});
        secondary.push(json!({"IndexName": index, "KeySchema": key(hash, range), "Projection": projection}));
    }
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes,
        "KeySchema": key("pk", sort), "GlobalSecondaryIndexes": secondary,
    })
}

/// As template.yaml declares it, and so are the others.
fn mail() -> Value {
    table("mail", "S", "sk", &[("due", "due_pk", "due_sk", "ALL")])
}

fn changes() -> Value {
    let indexes = [("by_project", "project_pk", "project_sk", "ALL"), ("by_hour", "hour_pk", "project_sk", "KEYS_ONLY")];
    table("changes", "N", "version", &indexes)
}

fn work() -> Value {
    let indexes = [
        ("by_time", "time_pk", "time_sk", "ALL"),
        ("by_status", "status_pk", "time_sk", "ALL"),
        ("by_person", "person_pk", "person_sk", "ALL"),
    ];
    table("work", "S", "sk", &indexes)
}
