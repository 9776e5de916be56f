//! CloudFormation's functions (`!Ref`, `!GetAtt`, `!Sub`, `!If`), as far as an emulation needs their values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yaml_serde::Value as Yaml;

/// Resolves the functions of one document. `!Ref X` becomes X's parameter value or logical id, `!GetAtt X.Arn` becomes `X.Arn`.
pub(crate) struct Intrinsics<'a> {
    document: &'a Yaml,
    parameters: BTreeMap<String, Value>,
}

impl<'a> Intrinsics<'a> {
    /// Takes the document's default parameters, overridden by `parameters`.
    pub(crate) fn new(document: &'a Yaml, parameters: &BTreeMap<String, String>) -> Self {
        let mut values = BTreeMap::new();
        for (name, declared) in entries(document.get("Parameters")) {
            let default = declared.get("Default").map_or(Value::Null, plain);
            values.insert(name.to_owned(), parameters.get(name).map_or(default, |value| Value::String(value.clone())));
        }
        Self { document, parameters: values }
    }

    /// The resources in the order they are written.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&'a str, &'a Yaml)> {
        entries(self.document.get("Resources"))
    }

    /// Whether the resource's condition, if any, holds.
    pub(crate) fn exists(&self, resource: &Yaml) -> bool {
        resource.get("Condition").and_then(Yaml::as_str).is_none_or(|name| self.condition(name))
    }

    /// The value with every function replaced. A function that is not known becomes null.
    pub(crate) fn resolve(&self, value: &Yaml) -> Value {
        match value {
            Yaml::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                self.call(tag.trim_start_matches('!'), &tagged.value)
            }
            Yaml::Sequence(items) => items.iter().filter(|item| !is_no_value(item)).map(|item| self.resolve(item)).collect(),
            Yaml::Mapping(mapping) => {
                let mut only = mapping.iter();
                if let (Some((Yaml::String(key), argument)), None) = (only.next(), only.next())
                    && let Some(function) = key.strip_prefix("Fn::").or((key == "Ref").then_some("Ref"))
                {
                    return self.call(function, argument);
                }
                let mut resolved = Map::new();
                for (key, value) in mapping {
                    let key = key.as_str().map_or_else(|| plain(key).to_string(), str::to_owned);
                    if !is_no_value(value) {
                        resolved.insert(key, self.resolve(value));
                    }
                }
                Value::Object(resolved)
            }
            other => plain(other),
        }
    }

    fn call(&self, function: &str, argument: &Yaml) -> Value {
        match function {
            "Ref" => {
                let name = argument.as_str().unwrap_or_default();
                self.parameters.get(name).cloned().unwrap_or_else(|| Value::String(name.to_owned()))
            }
            "GetAtt" => match argument {
                Yaml::Sequence(parts) => Value::String(parts.iter().filter_map(Yaml::as_str).collect::<Vec<_>>().join(".")),
                other => plain(other),
            },
            "Sub" => {
                let (text, names) = match argument {
                    Yaml::Sequence(parts) => (parts.first().and_then(Yaml::as_str).unwrap_or_default(), parts.get(1)),
                    other => (other.as_str().unwrap_or_default(), None),
                };
                Value::String(self.substitute(text, names))
            }
            "If" => match argument {
                Yaml::Sequence(parts) if parts.len() == 3 => {
                    let holds = parts[0].as_str().is_some_and(|name| self.condition(name));
                    self.resolve(if holds { &parts[1] } else { &parts[2] })
                }
                _ => Value::Null,
            },
            "Join" => match self.resolve(argument) {
                Value::Array(parts) => {
                    let separator = parts.first().and_then(Value::as_str).unwrap_or_default().to_owned();
                    let items = parts.get(1).and_then(Value::as_array).cloned().unwrap_or_default();
                    Value::String(items.iter().map(text).collect::<Vec<_>>().join(&separator))
                }
                _ => Value::Null,
            },
            _ => Value::Null,
        }
    }

    /// Replaces `${Name}` and `${Name.Attribute}`.
    fn substitute(&self, template: &str, names: Option<&Yaml>) -> String {
        let mut result = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find("${") {
            result.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let Some(end) = after.find('}') else { break };
            let name = &after[..end];
            match names.and_then(|names| names.get(name)) {
                Some(value) => result.push_str(&text(&self.resolve(value))),
                None => result.push_str(&text(self.parameters.get(name).unwrap_or(&Value::String(name.to_owned())))),
            }
            rest = &after[end + 1..];
        }
        result.push_str(rest);
        result
    }

    fn condition(&self, name: &str) -> bool {
        self.document.get("Conditions").and_then(|all| all.get(name)).is_some_and(|condition| self.holds(condition))
    }

    fn holds(&self, condition: &Yaml) -> bool {
        let (function, argument) = match condition {
            Yaml::Tagged(tagged) => (tagged.tag.to_string(), &tagged.value),
            Yaml::Mapping(mapping) => match mapping.iter().next() {
                Some((Yaml::String(key), argument)) => (key.clone(), argument),
                _ => return false,
            },
            _ => return false,
        };
        let parts = match argument {
            Yaml::Sequence(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        match function.trim_start_matches('!').trim_start_matches("Fn::") {
            "Equals" => parts.len() == 2 && text(&self.resolve(&parts[0])) == text(&self.resolve(&parts[1])),
            "Not" => parts.first().is_some_and(|part| !self.holds(part)),
            "And" => parts.iter().all(|part| self.holds(part)),
            "Or" => parts.iter().any(|part| self.holds(part)),
            "Condition" => argument.as_str().is_some_and(|name| self.condition(name)),
            _ => false,
        }
    }
}

fn is_no_value(value: &Yaml) -> bool {
    matches!(value, Yaml::Tagged(tagged) if tagged.value.as_str() == Some("AWS::NoValue"))
}

fn entries(mapping: Option<&Yaml>) -> impl Iterator<Item = (&str, &Yaml)> {
    mapping.and_then(Yaml::as_mapping).into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value without functions, as JSON.
fn plain(value: &Yaml) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_become_values() {
        let document: Yaml = yaml_serde::from_str(
            "Parameters: {Stage: {Default: dev}}\nConditions: {IsDev: !Equals [!Ref Stage, dev]}\nvalue:\n  - !Ref Stage\n  - !Ref Queue\n  - !GetAtt Queue.Arn\n  - !Sub 'baton-${Stage}-${Queue.Arn}'\n  - !If [IsDev, 1, 2]\n  - {'Fn::Join': ['-', [a, !Ref Stage]]}\n",
        )
        .expect("it is YAML");
        let resolved = Intrinsics::new(&document, &BTreeMap::new()).resolve(&document["value"]);
        assert_eq!(resolved, serde_json::json!(["dev", "Queue", "Queue.Arn", "baton-dev-Queue.Arn", 1, "a-dev"]));
    }
}
