//! Whether the time of a refused log-in shows that an address has an account.

use std::time::Instant;

use reqwest::Method;
use serde_json::json;

use super::{Client, Error, Server, percentile};

/// An address takes this many failures without a delay.
const PER_ADDRESS: usize = 5;
/// The first log-ins open connections and fill caches; they are not measured.
const WARM_UP: usize = 20;
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// A refused log-in: whose address, whether there is an account behind it.
#[derive(Clone)]
struct LogIn {
    email: String,
    is_known: bool,
}

/// Measures `count` log-ins with a wrong password to accounts and as many to addresses without one, mixed, one after the other.
pub(super) async fn log_ins(count: usize) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(folder.path()).await?;
    let addresses = (count + WARM_UP).div_ceil(PER_ADDRESS);
    for number in 0..addresses {
        Client::sign_up_only(&server.origin, &known(number), "Ada").await?;
    }
    server.settle().await?;

    let http = reqwest::Client::new();
    let mut order = Vec::with_capacity(2 * (count + WARM_UP));
    for number in 0..count + WARM_UP {
        order.push(LogIn { email: known(number % addresses), is_known: true });
        order.push(LogIn { email: format!("nobody{}@example.com", number % addresses), is_known: false });
    }
    // Whatever the machine does meanwhile, it does to both kinds.
    shuffle(&mut order);
    let (mut to_known, mut to_unknown) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (number, LogIn { email, is_known }) in order.into_iter().enumerate() {
        let request = http.request(Method::POST, format!("{}/v1/login", server.origin));
        let request = request.json(&json!({"email": email, "password": "none that anybody has"}));
        let began = Instant::now();
        let response = request.send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
        if status != 401 {
            return Err(format!("a log-in with a wrong password was answered {status}").into());
        }
        let times = if is_known { &mut to_known } else { &mut to_unknown };
        if number >= WARM_UP && times.len() < count {
            times.push(milliseconds);
        }
    }
    server.stop().await?;

    println!("{:<44}{:>10}", "log-ins of each kind", to_known.len().min(to_unknown.len()));
    println!("{:<44}{:>10.3}", "refused, known address, median (ms)", percentile(to_known.clone(), 50));
    println!("{:<44}{:>10.3}", "refused, unknown address, median (ms)", percentile(to_unknown.clone(), 50));
    println!("{:<44}{:>10.2}", "Welch's t (indistinguishable below 4.5)", welch_t(&to_known, &to_unknown));
    Ok(())
}

fn known(number: usize) -> String {
    format!("member{number}@example.com")
}

/// How many standard errors the means of two samples are apart, whatever their variances.
fn welch_t(one: &[f64], other: &[f64]) -> f64 {
    let ((one, variance), (other, others)) = (mean_and_its_variance(one), mean_and_its_variance(other));
    (one - other) / (variance + others).sqrt()
}

fn mean_and_its_variance(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

/// Fisher and Yates with a linear congruential generator: the same order in every run.
fn shuffle<T>(items: &mut [T]) {
    let mut state = SEED;
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (state >> 33) as usize % (last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welch_tells_samples_apart_that_differ() {
        let close = |t: f64, expected: f64| assert!((t - expected).abs() < 0.001, "{t} for {expected}");
        // Means 3 and 6, variances 2.5 and 10, five values each: -3 / sqrt(0.5 + 2).
        close(welch_t(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 4.0, 6.0, 8.0, 10.0]), -1.897_367);
        close(welch_t(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), 0.0);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..100).collect();
        shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
