//! What a mail tells, read from its text as its reader would.

use std::collections::BTreeSet;

use crate::history::Net;

/// What a mail tells of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number in its title: every task of a run is called `Task` and its number, and whatever it is renamed to begins so.
    pub(crate) task: usize,
    pub(crate) net: Net,
    pub(crate) text: String,
}

/// The blocks of a mail, and how many tasks it only counts.
pub(crate) fn blocks(text: &str) -> (Vec<Block>, usize) {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        if line.starts_with("http") && line.contains("/#/projects/") {
            // The line that names the task and its project is the last of those that do.
            let text = lines.join("\n");
            if let Some(task) = lines.iter().rev().find_map(|it| number(it)) {
                blocks.push(Block { task, net: told(&text), text });
            }
            lines.clear();
        } else if line.starts_with("You get this because") {
            // It follows the link, and belongs to the block before.
            lines.clear();
        } else {
            lines.push(line);
        }
    }
    let counted = text.lines().find_map(|line| match line {
        "One more task changed." => Some(1),
        _ => line.strip_suffix(" more tasks changed.")?.parse().ok(),
    });
    (blocks, counted.unwrap_or_default())
}

/// The number of the task that a line names.
fn number(line: &str) -> Option<usize> {
    let (_, rest) = line.split_once("Task ")?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// The phrases by which a sentence tells of a field, in the order in which they are looked for.
const PHRASES: [(&str, &[&str]); 7] = [
    ("title", &["renamed it from", "named it “", "title “"]),
    ("description", &["edited the description", "description edited"]),
    ("status", &["moved it from", "set it to", "status "]),
    (
        "assignee",
        &[
            "took it on",
            "took it over",
            "handed it over",
            "laid it down",
            "assigned it to",
            "reassigned it from",
            "took it from",
            "left it unassigned",
            "assignee ",
        ],
    ),
    ("priority", &["the priority", "priority "]),
    ("due_on", &["the due date", " due "]),
    ("labels", &["the label", "labels “", "labels none"]),
];

fn told(text: &str) -> Net {
    let details: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("- ")?.split_once(": "))
        .map(|(label, _)| match label {
            "Due" => "due_on".to_owned(),
            label => label.to_lowercase(),
        })
        .collect();
    let headline =
        text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("Your day in Baton")).unwrap_or_default();
    if headline.contains(" a new task") {
        return Net::Created;
    }
    if headline.contains(" deleted it") {
        return Net::Deleted;
    }
    if !details.is_empty() {
        return Net::Updated(details);
    }
    let is_told = |phrases: &[&str]| phrases.iter().any(|phrase| headline.contains(phrase));
    Net::Updated(PHRASES.iter().filter(|(_, phrases)| is_told(phrases)).map(|(field, _)| (*field).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_each_task_are_read_from_the_text() {
        let text = "“Task 1”: Ada moved it from waiting to in progress and set the due date to 24 November 2026.\n\n\
                    “Task 1” · House\nMonday\nhttp://localhost:1/#/projects/p/tasks/t1\nYou get this because the task is yours.\n\n\
                    “Task 2”: Ada and Ben changed it: assignee nobody, labels “a” and description edited.\n- Assignee: nobody\n\
                    - Due: no date\n- Description: edited\n\n“Task 2” · House\nMonday\nhttp://localhost:1/#/projects/p/tasks/t2\n\
                    You get this because you created the task.\n\n3 more tasks changed.\nhttp://localhost:1/#/\n";
        let (blocks, counted) = blocks(text);
        let told: Vec<(usize, Net)> = blocks.iter().map(|it| (it.task, it.net.clone())).collect();
        let fields = |names: &[&str]| Net::Updated(names.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(told, [(1, fields(&["due_on", "status"])), (2, fields(&["assignee", "description", "due_on"]))]);
        assert_eq!(counted, 3);
    }
}
