use super::*;

const SMALL: &str = r#"
Parameters:
  QuietWindow: {Type: Number, Default: 60}
Resources:
  WorkTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Letters:
    Type: AWS::SQS::Queue
    Properties:
      DelaySeconds: !Ref QuietWindow
      VisibilityTimeout: 180
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue}
  Changes:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [baton.tasks]}
      Targets: [{Id: queue, Arn: !GetAtt Letters.Arn}]
  Mailer:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [!Sub "arn:${AWS::Partition}:x"]
      Events:
        Sweep:
          Type: Schedule
          Properties: {Schedule: rate(1 minute), Input: '{"sweep":"due"}'}
        Mail:
          Type: SQS
          Properties: {Queue: !GetAtt Letters.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
"#;

fn small(window: &str) -> Template {
    let parameters = BTreeMap::from([("QuietWindow".to_owned(), window.to_owned())]);
    Template::parse(SMALL, &parameters).expect("the template is sound")
}

#[test]
fn a_queue_takes_its_delay_from_the_parameter() {
    assert_eq!(
        small("7").queues[0],
        Queue {
            name: "Letters".to_owned(),
            delay: Duration::from_secs(7),
            visibility: Duration::from_secs(180),
            redrive: Some(Redrive { queue: "Dead".to_owned(), max_receive_count: 3 }),
        }
    );
    let defaults = Template::parse(SMALL, &BTreeMap::new()).expect("the template is sound");
    assert_eq!(defaults.queues[0].delay, Duration::from_secs(60));
}

#[test]
fn tables_rules_mappings_and_schedules_are_read() {
    let template = small("0");
    assert_eq!(template.tables[0].create["StreamSpecification"]["StreamEnabled"], true);
    assert_eq!(template.tables[0].ttl_attribute.as_deref(), Some("expires_at"));
    assert_eq!((template.rules[0].bus.as_str(), template.rules[0].queues.as_slice()), (DEFAULT_BUS, &["Letters".to_owned()][..]));
    assert_eq!((template.mappings[0].function.as_str(), template.mappings[0].source.as_str()), ("Mailer", "Letters"));
    assert_eq!(template.schedules[0].every, Duration::from_secs(60));
    assert_eq!(template.schedules[0].input, json!({"sweep": "due"}));
}

#[test]
fn the_projects_own_template_is_honoured() {
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).expect("template.yaml is honoured");
    let tables: Vec<_> = template.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(tables, ["AccountsTable", "WorkTable", "ChangesTable", "MailTable"]);
    let binaries: Vec<_> = template.functions.iter().map(|function| function.binary.as_str()).collect();
    assert_eq!(binaries, ["login", "tasks", "change-publisher", "log-mailer"]);
    let mailer = &template.functions[3];
    assert_eq!(mailer.environment["MAIL_TABLE"], "MailTable");
    assert_eq!((template.mappings.len(), template.schedules.len()), (4, 2));
    let rules: Vec<_> = template.rules.iter().map(|rule| (rule.bus.as_str(), rule.queues[0].as_str())).collect();
    assert_eq!(rules, [("Bus", "MailQueue"), ("Bus", "LetterQueue"), (DEFAULT_BUS, "FeedbackQueue")]);
    assert!(template.routes.len() > 20);
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let text = SMALL.replace("rate(1 minute)", "cron(0 * * * ? *)");
    let error = Template::parse(&text, &BTreeMap::new()).expect_err("a cron expression is not emulated");
    assert_eq!(error.to_string(), "template.yaml: Mailer: cron(0 * * * ? *) is not a rate");
}
