use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::UserId;
use crate::word::words_only;

/// What a person asked for about one project or one task, beyond what concerns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Subscription {
    /// Tell of everything, as if it concerned them.
    Watch,
    /// No mail.
    Mute,
}

words_only!(Subscription);

impl Subscription {
    /// As written in JSON and in items.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Mute => "mute",
        }
    }
}

/// All that people asked for about one task and its project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    pub project: BTreeMap<UserId, Subscription>,
    pub task: BTreeMap<UserId, Subscription>,
}

impl Subscriptions {
    /// What this person asked for: about the task, or else about its project.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<Subscription> {
        self.task.get(&user).or_else(|| self.project.get(&user)).copied()
    }

    /// Who watches the task, by itself or with its project, in the order of their ids.
    pub fn watchers(&self) -> impl Iterator<Item = UserId> {
        let asked: BTreeSet<UserId> = self.project.keys().chain(self.task.keys()).copied().collect();
        asked.into_iter().filter(|user| self.of(*user) == Some(Subscription::Watch))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_asked_of_a_task_beats_what_is_asked_of_its_project() {
        let [ada, ben, cam, dee, eve] = [1, 2, 3, 4, 5].map(|id| UserId(Uuid::from_u128(id)));
        let subscriptions = Subscriptions {
            project: [(ada, Subscription::Watch), (ben, Subscription::Watch), (cam, Subscription::Mute)].into(),
            task: [(ben, Subscription::Mute), (cam, Subscription::Watch), (dee, Subscription::Watch)].into(),
        };
        let asked = [ada, ben, cam, dee, eve].map(|user| subscriptions.of(user).map(Subscription::as_str));
        assert_eq!(asked, [Some("watch"), Some("mute"), Some("watch"), Some("watch"), None]);
        assert_eq!(subscriptions.watchers().collect::<Vec<_>>(), [ada, cam, dee]);
    }
}
