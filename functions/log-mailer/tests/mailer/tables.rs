use dynoxide::Database;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves empty tables; answers where, and the database behind them.
pub(crate) async fn serve() -> (String, Database) {
    let database = Database::memory().expect("a database in memory");
    for table in [work(), changes(), mail()] {
        database.create_table(serde_json::from_value(table).expect("a table")).expect("the table is made");
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
    (endpoint, database)
}

/// Writes an item that no code of the mailer's writes: numbers and texts.
pub(crate) fn put(database: &Database, table: &str, item: &Value) {
    let item: Value = item
        .as_object()
        .expect("an item is an object")
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Number(number) => json!({"N": number.to_string()}),
                Value::String(text) => json!({"S": text}),
                typed => typed.clone(),
            };
            (name.clone(), value)
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let request = serde_json::from_value(json!({"TableName": table, "Item": item})).expect("a put");
    database.put_item(request).expect("the put is accepted");
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
