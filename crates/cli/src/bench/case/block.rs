//! How long a stream waits for its turn behind work that blocks in a way that nobody can see.

use std::{sync::mpsc::channel, time::Instant};

use syncpoint::{Device, Result};

use super::super::sample::{Prepared, each};

/// Behind so many streams whose work blocks. The workers that it brings stay for a while: a second sample would find
/// them there.
pub(super) fn delay(device: &Device, blockers: usize) -> Prepared {
    let neighbour = device.stream()?;
    let streams = (0..blockers).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move || {
        let mut let_go = Vec::new();
        for stream in &streams {
            let (end, ended) = channel::<()>();
            stream.enqueue(move || ended.recv().unwrap_or_default())?;
            let_go.push(end);
        }
        let ((served, heard), begin) = (channel(), Instant::now());
        neighbour.enqueue(move || served.send(begin.elapsed()))?;
        let delay = heard.recv()?;
        drop(let_go);
        streams.iter().try_for_each(|stream| stream.synchronize())?;
        Ok(each(delay, 1))
    }))
}
