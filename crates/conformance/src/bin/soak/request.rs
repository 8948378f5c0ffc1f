//! What the arguments ask for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const USAGE: &str = "soak [--minutes N | --seconds N] [--seed N] [--threads N]";

pub(crate) struct Request {
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

impl Request {
    /// `None` where an argument is not understood.
    pub(crate) fn read() -> Option<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let mut request =
            Self { duration: Duration::from_secs(60), seed: since.as_secs(), threads: 4 };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let number: u64 = arguments.next()?.parse().ok()?;
            match name.as_str() {
                "--minutes" => request.duration = Duration::from_secs(number * 60),
                "--seconds" => request.duration = Duration::from_secs(number),
                "--seed" => request.seed = number,
                "--threads" => request.threads = usize::try_from(number).ok()?,
                _ => return None,
            }
        }
        Some(request)
    }
}
