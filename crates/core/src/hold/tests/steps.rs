//! A crew that pumps when it is asked.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::error::Result;
use crate::hold::Crew;
use crate::sync::{Mutex, lock};
use crate::work::Pump;

/// Pumps when it is asked.
#[derive(Debug, Default)]
pub(super) struct Steps(Mutex<VecDeque<Arc<dyn Pump>>>);

impl Crew for Steps {
    fn ensure(&self) -> Result<()> {
        Ok(())
    }

    fn rouse(&self, stream: Arc<dyn Pump>) {
        lock(&self.0).push_back(stream);
    }
}

impl Steps {
    /// Pumps one stream, if one is roused.
    pub(super) fn pump_one(&self) -> bool {
        let stream = lock(&self.0).pop_front();
        stream.map(Pump::pump).is_some()
    }
}
