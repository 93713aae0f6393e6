//! Sets of event types.

use yagura_model::field::EventType;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventTypes {
    words: Vec<u64>,
}

impl EventTypes {
    pub fn insert(&mut self, event_type: EventType) {
        let (word, bit) = place(event_type);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    pub fn contains(&self, event_type: EventType) -> bool {
        let (word, bit) = place(event_type);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = EventType> {
        let most = u16::try_from(self.words.len().saturating_mul(64)).unwrap_or(u16::MAX);
        (0..most).map(EventType).filter(|event_type| self.contains(*event_type))
    }

    pub fn extend(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }
}

impl FromIterator<EventType> for EventTypes {
    fn from_iter<I: IntoIterator<Item = EventType>>(types: I) -> Self {
        let mut set = Self::default();
        for event_type in types {
            set.insert(event_type);
        }
        set
    }
}

fn place(event_type: EventType) -> (usize, u64) {
    (usize::from(event_type.0 / 64), 1 << (event_type.0 % 64))
}
