//! Block types and what they hold.

/// What a block holds, and in which layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Section,
    Machine,
    /// Layouts 1 to 9 grew by fields; the ninth states the length of each entry.
    Threads(u8),
    /// Whether each entry states its length.
    Descriptors {
        sized: bool,
    },
    Interfaces {
        sized: bool,
    },
    Users {
        sized: bool,
    },
    Event {
        flags: bool,
        counted: bool,
        large: bool,
    },
    /// What sysdig's layout of a process has no place for; other readers skip the block.
    ThreadDetails,
    Other,
}

pub(super) const SECTION: u32 = 0x0a0d_0d0a;
pub(super) const SECTION_MAGIC: u32 = 0x1a2b_3c4d;
pub(super) const MACHINE: u32 = 0x201;
pub(super) const THREADS_V9: u32 = 0x215;
pub(super) const DESCRIPTORS_V2: u32 = 0x218;
pub(super) const INTERFACES_V2: u32 = 0x219;
pub(super) const USERS_V2: u32 = 0x220;
pub(super) const EVENT_V2: u32 = 0x216;
pub(super) const EVENT_FLAGS_V2: u32 = 0x217;
pub(super) const EVENT_V2_LARGE: u32 = 0x221;
pub(super) const EVENT_FLAGS_V2_LARGE: u32 = 0x222;
/// "YGT1" in a range that the format leaves to local use (the highest bit set).
pub(super) const THREAD_DETAILS: u32 = 0xd947_5401;

impl Kind {
    pub(super) fn of(block_type: u32) -> Self {
        let event = |flags, counted, large| Self::Event { flags, counted, large };
        match block_type {
            SECTION => Self::Section,
            MACHINE | 0x8002_abcd => Self::Machine,
            0x202 | 0x8000_abcd => Self::Threads(1),
            0x207 | 0x8013_abcd => Self::Threads(2),
            0x209 | 0x8014_abcd => Self::Threads(3),
            0x210 => Self::Threads(4),
            0x211 => Self::Threads(5),
            0x212 => Self::Threads(6),
            0x213 => Self::Threads(7),
            0x214 => Self::Threads(8),
            THREADS_V9 => Self::Threads(9),
            0x203 | 0x8001_abcd => Self::Descriptors { sized: false },
            DESCRIPTORS_V2 => Self::Descriptors { sized: true },
            0x204 | 0x8010_abcd => event(false, false, false),
            0x208 => event(true, false, false),
            EVENT_V2 => event(false, true, false),
            EVENT_FLAGS_V2 => event(true, true, false),
            EVENT_V2_LARGE => event(false, true, true),
            EVENT_FLAGS_V2_LARGE => event(true, true, true),
            0x205 | 0x8011_abcd => Self::Interfaces { sized: false },
            INTERFACES_V2 => Self::Interfaces { sized: true },
            0x206 | 0x8012_abcd => Self::Users { sized: false },
            USERS_V2 => Self::Users { sized: true },
            THREAD_DETAILS => Self::ThreadDetails,
            _ => Self::Other,
        }
    }

    /// Whether sysdig calls the block part of the event stream.
    pub(super) fn is_event(self) -> bool {
        matches!(self, Self::Event { .. })
    }
}
