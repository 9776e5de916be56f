use domain::{Letter, SecurityEvent, SecurityEventKind, TimeZoneName};

use super::{English, quoted};
use crate::language::{Language, LetterWords, quotable, quotable_address};

const ONCE_WITHIN_A_DAY: &str = "The link works once, for a day.";

pub(super) fn words(letter: &Letter, zone: &TimeZoneName) -> LetterWords {
    match letter {
        Letter::VerifyAddress { name, .. } => LetterWords {
            subject: "Confirm your address for Baton".to_owned(),
            headline: match quotable(name.as_str()) {
                Some(name) => format!("Hello {name}, confirm your address and choose a password to start with Baton."),
                None => "Confirm your address and choose a password to start with Baton.".to_owned(),
            },
            lines: vec![ONCE_WITHIN_A_DAY.to_owned()],
            action: "Confirm my address",
            why: "You get this because somebody signed up for Baton with this address. If it was not you, ignore this mail: nothing happens.",
        },
        Letter::AddressTaken { .. } => LetterWords {
            subject: "You already have a Baton account".to_owned(),
            headline: "Somebody entered this address for a Baton account, but it has one already.".to_owned(),
            lines: vec!["If it was you, just log in. Nothing about your account has changed.".to_owned()],
            action: "Log in",
            why: "You get this because the address belongs to your account. If it was not you, ignore this mail.",
        },
        Letter::NoAccount { .. } => LetterWords {
            subject: "This address has no Baton account".to_owned(),
            headline: "Somebody asked for a new password for this address, but it has no Baton account.".to_owned(),
            lines: vec!["If it was you, perhaps you signed up with another address. You can also sign up with this one.".to_owned()],
            action: "Sign up",
            why: "You get this because somebody entered this address. If it was not you, ignore this mail: nothing happens.",
        },
        Letter::ResetPassword { .. } => LetterWords {
            subject: "Choose a new password for Baton".to_owned(),
            headline: "Somebody asked for a new password for your account.".to_owned(),
            lines: vec!["The link works once, for an hour. Keep it to yourself: whoever has it can set your password.".to_owned()],
            action: "Choose a new password",
            why: "You get this because the address belongs to your account. If it was not you, ignore this mail: your password stays as it is.",
        },
        Letter::ConfirmNewEmail { .. } => LetterWords {
            subject: "Confirm your new address for Baton".to_owned(),
            headline: "Somebody wants to move their Baton account to this address.".to_owned(),
            lines: vec![
                "The account moves once this link and the one in the mail to its present address were followed.".to_owned(),
                ONCE_WITHIN_A_DAY.to_owned(),
            ],
            action: "Confirm this address",
            why: "You get this because somebody entered this address. If it was not you, ignore this mail: nothing happens.",
        },
        Letter::ApproveEmailChange { new, .. } => LetterWords {
            subject: "Your Baton account is to move to another address".to_owned(),
            headline: format!(
                "Somebody who knows your password asked to move your account to {}.",
                quotable_address(new).unwrap_or("another address")
            ),
            lines: vec![
                "It moves once this link and the one in the mail to the new address were followed.".to_owned(),
                ONCE_WITHIN_A_DAY.to_owned(),
                "If it was not you: do not follow the link, log in and change your password in the settings.".to_owned(),
            ],
            action: "Agree to the move",
            why: "You get this because the address belongs to your account.",
        },
        Letter::EmailChanged { .. } => LetterWords {
            subject: "Your Baton account has moved to another address".to_owned(),
            headline: "Your account does not belong to this address any more.".to_owned(),
            lines: vec![
                "If it was not you: somebody can read your mail. Change the password of this mailbox first, and then ask whoever runs this Baton for help.".to_owned(),
            ],
            action: "Log in with the new address",
            why: "You get this because the address belonged to your account until now. Mails about the account go to the new address from now on.",
        },
        Letter::Security { event } => security(event, zone),
        Letter::Invitation { project_name, inviter, .. } => {
            let (inviter, project) = (quotable(inviter.as_str()), quotable(project_name.as_str()));
            LetterWords {
                subject: match (project, inviter) {
                    (Some(project), Some(inviter)) => format!("[{project}] {inviter} invited you"),
                    (Some(project), None) => format!("[{project}] You are invited"),
                    (None, Some(inviter)) => format!("{inviter} invited you to a project"),
                    (None, None) => "You are invited to a project".to_owned(),
                },
                headline: format!(
                    "{} invited you to {}.",
                    inviter.unwrap_or("Somebody"),
                    project.map_or_else(|| "a project".to_owned(), |it| format!("the project {}", quoted(it)))
                ),
                lines: vec!["Log in, or sign up with this address, to accept or to decline.".to_owned()],
                action: "See the invitation",
                why: "You get this because a member of the project entered this address. If you do not know them, ignore this mail.",
            }
        }
    }
}

/// What happened, and what to do about it where it was somebody else.
fn security(event: &SecurityEvent, zone: &TimeZoneName) -> LetterWords {
    const LOOK: &str = "Look at my account";
    const RESET: &str = "Set a new password";
    let SecurityEvent { id: _, user: _, at, kind, device } = event;
    let (subject, headline, otherwise, action) = match kind {
        SecurityEventKind::NewDevice => (
            "New log-in to your Baton account",
            "Somebody logged in to your account on a device that was not used before.".to_owned(),
            "end that session and change your password in the settings.",
            LOOK,
        ),
        SecurityEventKind::PasswordChanged => (
            "Your Baton password was changed",
            "The password of your account was changed. All other sessions have ended.".to_owned(),
            "set a new password now, by a link that we mail to this address. That ends every session.",
            RESET,
        ),
        SecurityEventKind::PasswordReset => (
            "Your Baton password was reset",
            "A new password was set by a link that we mailed to this address. All sessions have ended.".to_owned(),
            "somebody can read your mail. Change the password of this mailbox first, and then set a new one for Baton.",
            RESET,
        ),
        SecurityEventKind::SecondFactorOn => (
            "Second factor switched on for your Baton account",
            "Log-ins to your account ask for a code of an authenticator app from now on.".to_owned(),
            "set a new password now, by a link that we mail to this address. That ends every session. Then ask whoever runs this Baton for help.",
            RESET,
        ),
        SecurityEventKind::SecondFactorOff => (
            "Second factor switched off for your Baton account",
            "Log-ins to your account ask for the password only from now on.".to_owned(),
            "change your password in the settings, which ends all other sessions, and switch the second factor on again.",
            LOOK,
        ),
        SecurityEventKind::RecoveryCodeUsed { left } => (
            "A recovery code of your Baton account was used",
            format!(
                "A recovery code was used instead of a code of your authenticator app. {}",
                match left {
                    0 => "None is left.".to_owned(),
                    1 => "One is left.".to_owned(),
                    left => format!("{left} are left."),
                }
            ),
            "change your password in the settings, which ends all other sessions, and replace the recovery codes.",
            LOOK,
        ),
        SecurityEventKind::RecoveryCodesRenewed => (
            "New recovery codes for your Baton account",
            "The recovery codes of your account were replaced. The old ones have ended.".to_owned(),
            "change your password in the settings, which ends all other sessions, and replace the recovery codes.",
            LOOK,
        ),
        SecurityEventKind::TokenMade { name } => (
            "An API token was made for your Baton account",
            format!("{} Whoever has it can use Baton in your name.", token(name.as_str(), "was made.")),
            "revoke it and change your password in the settings.",
            LOOK,
        ),
        SecurityEventKind::TokenRevoked { name } => (
            "An API token of your Baton account was revoked",
            token(name.as_str(), "was revoked."),
            "change your password in the settings, which ends all other sessions.",
            LOOK,
        ),
        SecurityEventKind::RefreshTokenReused => (
            "A session of your Baton account was ended",
            "A session of your account was used in two places, as happens when somebody copies it. It has ended.".to_owned(),
            "log in again, change your password in the settings and end the sessions that are not yours.",
            LOOK,
        ),
        SecurityEventKind::EmailChangeAsked => (
            "A change of your Baton account's address",
            "Somebody who knows your password asked to move your account to another address.".to_owned(),
            "change your password in the settings, which ends all other sessions.",
            LOOK,
        ),
        SecurityEventKind::EmailChanged => (
            "Your Baton account has a new address",
            "Your account belongs to this address from now on.".to_owned(),
            "change your password in the settings, which ends all other sessions.",
            LOOK,
        ),
        SecurityEventKind::SessionsEnded => (
            "Sessions of your Baton account were ended",
            "One or more sessions of your account were ended.".to_owned(),
            "change your password in the settings, which ends all other sessions.",
            LOOK,
        ),
    };
    let lines = vec![English.when(*at, zone), English.device(device), format!("If it was not you: {otherwise}")];
    let why = "You get this because it bears on who can get into your account. If it was you, there is nothing to do.";
    LetterWords { subject: subject.to_owned(), headline, lines, action, why }
}

fn token(name: &str, what: &str) -> String {
    quotable(name).map_or_else(|| format!("An API token {what}"), |name| format!("The API token {} {what}", quoted(name)))
}
