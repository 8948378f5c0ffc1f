//! Panics of user code: caught, put into words, and their payloads dropped where they hurt nobody.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code and gives its panic, if it panics, as words.
///
/// # Errors
/// The words of the panic, or a sentence where the payload is not text.
pub fn contain<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(words)
}

/// What a panic said.
fn words(payload: Box<dyn Any + Send>) -> String {
    let words = payload
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned());
    discard(payload);
    words
}

/// Drops a payload or a capture whose drop may panic itself. What a second panic carries is forgotten on purpose: its
/// drop could panic without end.
pub fn discard<T>(payload: T) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    if let Err(second) = dropped {
        #[expect(clippy::mem_forget, reason = "dropping it could panic without end")]
        std::mem::forget(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_panic_are_kept() {
        assert_eq!(contain(|| 5), Ok(5));
        let number = 7;
        assert_eq!(
            contain(|| assert!(number == 8, "seven is {number}")),
            Err("seven is 7".to_owned())
        );
        let odd = contain(|| std::panic::panic_any(3_u8));
        assert_eq!(odd, Err("a panic without words".to_owned()));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_discarded() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::panic_any(2_u8);
            }
        }
        assert_eq!(
            contain(|| std::panic::panic_any(Bomb)),
            Err("a panic without words".to_owned())
        );
    }
}
