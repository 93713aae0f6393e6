//! Whether the sensor sees: a canary that must come back, and counts of what was lost.

use std::time::{Duration, Instant};

use yagura_sensor::{Loss, Sensor};

/// Between two canaries.
const INTERVAL: Duration = Duration::from_secs(10);
/// A canary that takes longer is missing.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Health {
    /// When the canary under way left, and how many had come back before.
    released: Option<(Instant, u64)>,
    last: Option<Instant>,
    blind: bool,
    lost: u64,
}

impl Health {
    /// Lets a canary out when it is time; what there is to complain of.
    pub fn check(&mut self, sensor: &Sensor) -> Vec<String> {
        let mut complaints = Vec::new();
        match self.released {
            Some((_, before)) if sensor.canaries() > before => {
                self.released = None;
                if std::mem::take(&mut self.blind) {
                    complaints.push("the sensor sees again: its canary came back".to_owned());
                }
            }
            Some((released, _)) if released.elapsed() > PATIENCE && !self.blind => {
                self.blind = true;
                complaints.push(format!(
                    "warning: the sensor is not ready: its canary has been missing for {} s; events may be lost",
                    PATIENCE.as_secs()
                ));
            }
            _ => {}
        }
        if self.last.is_none_or(|last| last.elapsed() >= INTERVAL) {
            self.last = Some(Instant::now());
            if self.released.is_none() {
                self.released = Some((Instant::now(), sensor.canaries()));
            }
            sensor.release_canary();
            let total = sensor.loss();
            if total.total() > self.lost {
                self.lost = total.total();
                complaints.extend(loss(&total).map(|text| format!("warning: {text}")));
            }
        }
        complaints
    }
}

/// What was lost, in words.
pub fn loss(loss: &Loss) -> Option<String> {
    if loss.total() == 0 {
        return None;
    }
    let by_call: Vec<String> = loss.lost.iter().map(|(name, count)| format!("{name} {count}")).collect();
    Some(format!("{} events were lost so far ({})", loss.total(), by_call.join(", ")))
}
