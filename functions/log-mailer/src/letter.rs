use askama::Template;
use domain::{EmailAddress, Letter, Locale, Profile, SecurityEvent, SecurityEventKind, TimeZoneName};

use crate::language::{LetterWords, language};
use crate::mail::{Letterhead, Mail, UnwritableMail, automatic_headers, header_text, straight};

#[derive(Template)]
#[template(path = "letter.txt")]
struct LetterText<'a> {
    headline: &'a str,
    lines: &'a [String],
    link: &'a str,
    why: &'a str,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct LetterHtml<'a> {
    lang: &'a str,
    subject: &'a str,
    headline: &'a str,
    lines: &'a [String],
    link: &'a str,
    action: &'a str,
    why: &'a str,
}

/// The mail that carries a letter to `to`: in its reader's language, or in its own, where no account has the address.
///
/// # Errors
/// [`UnwritableMail`], which only a broken template can cause.
pub fn letter_mail(
    letterhead: &Letterhead,
    to: &EmailAddress,
    reader: Option<&Profile>,
    letter: &Letter,
) -> Result<Mail, UnwritableMail> {
    let language = language(reader.map_or_else(|| own_locale(letter), |it| it.locale));
    let utc = TimeZoneName::default();
    let zone = reader.map_or(&utc, |it| &it.time_zone);
    let link = format!("{}/#/{}", letterhead.web_origin, target(letter));
    let LetterWords { subject, headline, lines, action, why } = language.letter(letter, zone);
    let subject = header_text(&subject);
    let text = LetterText { headline: &headline, lines: &lines, link: &link, why }.render()?;
    let html =
        LetterHtml { lang: language.tag(), subject: &subject, headline: &headline, lines: &lines, link: &link, action, why };
    let (text, html) = (straight(&text), straight(&html.render()?));
    Ok(Mail { to: to.clone(), subject, text, html, headers: automatic_headers() })
}

fn own_locale(letter: &Letter) -> Locale {
    match letter {
        Letter::VerifyAddress { locale, .. }
        | Letter::AddressTaken { locale }
        | Letter::NoAccount { locale }
        | Letter::ConfirmNewEmail { locale, .. }
        | Letter::EmailChanged { locale }
        | Letter::Invitation { locale, .. } => *locale,
        Letter::ResetPassword { .. } | Letter::ApproveEmailChange { .. } | Letter::Security { .. } => Locale::default(),
    }
}

/// Where a letter's link leads, on the page.
fn target(letter: &Letter) -> String {
    match letter {
        Letter::VerifyAddress { token, .. } => format!("verify?token={token}"),
        Letter::AddressTaken { .. } | Letter::EmailChanged { .. } => "login".to_owned(),
        Letter::NoAccount { .. } => "sign-up".to_owned(),
        Letter::ResetPassword { token } => format!("reset?token={token}"),
        Letter::ConfirmNewEmail { token, .. } | Letter::ApproveEmailChange { token, .. } => format!("email?token={token}"),
        Letter::Invitation { .. } => "invitations".to_owned(),
        Letter::Security { event: SecurityEvent { kind, .. } } => match kind {
            // Whoever did not do this cannot log in any more.
            SecurityEventKind::PasswordChanged | SecurityEventKind::PasswordReset | SecurityEventKind::SecondFactorOn => "forgot",
            SecurityEventKind::NewDevice
            | SecurityEventKind::SecondFactorOff
            | SecurityEventKind::RecoveryCodeUsed { .. }
            | SecurityEventKind::RecoveryCodesRenewed
            | SecurityEventKind::TokenMade { .. }
            | SecurityEventKind::TokenRevoked { .. }
            | SecurityEventKind::RefreshTokenReused
            | SecurityEventKind::EmailChangeAsked
            | SecurityEventKind::EmailChanged
            | SecurityEventKind::SessionsEnded => "settings",
        }
        .to_owned(),
    }
}

#[cfg(test)]
mod tests;
