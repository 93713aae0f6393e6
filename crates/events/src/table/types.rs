//! The shapes of the event table.

/// The number of a kind of event: even for enter, odd for exit.
pub type EventCode = u16;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Unknown,
    Other,
    File,
    Net,
    Ipc,
    Memory,
    Process,
    Sleep,
    System,
    Signal,
    User,
    Time,
    Processing,
    IoRead,
    IoWrite,
    IoOther,
    Wait,
    Scheduler,
    Internal,
}

/// Who produces an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    None,
    Syscall,
    Tracepoint,
    Plugin,
    Meta,
    Iterator,
}

/// Properties of an event, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFlags(pub u16);

impl EventFlags {
    pub const CREATES_FD: u16 = 1;
    pub const DESTROYS_FD: u16 = 1 << 1;
    pub const USES_FD: u16 = 1 << 2;
    pub const READS_FD: u16 = 1 << 3;
    pub const WRITES_FD: u16 = 1 << 4;
    pub const MODIFIES_STATE: u16 = 1 << 5;
    /// The code exists to fill the pair and never appears.
    pub const UNUSED: u16 = 1 << 6;
    pub const WAITS: u16 = 1 << 7;
    /// The event does not come between an enter event and its exit event.
    pub const SKIP_RESET: u16 = 1 << 8;
    /// Only older captures hold it.
    pub const OLD: u16 = 1 << 9;
    /// Lengths of parameters have 32 bits instead of 16.
    pub const LARGE: u16 = 1 << 11;
    /// `conversions.txt` says how it becomes an event of today.
    pub const CONVERTED: u16 = 1 << 12;

    pub fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

/// One kind of event.
#[derive(Clone, Debug)]
pub struct EventInfo {
    pub code: EventCode,
    /// The symbolic name, such as `SYSCALL_OPENAT_2_X`.
    pub key: &'static str,
    /// What `evt.type` shows, such as `openat`. All versions of an event share it.
    pub name: &'static str,
    pub category: Category,
    pub source: Source,
    pub flags: EventFlags,
    pub parameters: Vec<Parameter>,
}

impl EventInfo {
    /// Whether this is the event at the start of a system call.
    pub fn is_enter(&self) -> bool {
        self.code.is_multiple_of(2)
    }

    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }
}

/// One parameter of an event.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: ParameterType,
    pub format: Format,
    pub detail: Detail,
}

/// What a parameter's type needs to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    None,
    /// A table of names: [`Table::flag_table`](super::Table::flag_table).
    Flags(u8),
    /// The number of the parameter that holds the directory to which this path is relative.
    Directory(u8),
    /// Alternatives of a `dyn` parameter: [`Table::dynamic`](super::Table::dynamic).
    Dynamic(u8),
}

/// Names of the values of a flag or enumeration parameter, in the order in which they are printed.
#[derive(Clone, Debug)]
pub struct FlagTable {
    pub name: &'static str,
    pub flags: Vec<FlagName>,
}

#[derive(Clone, Copy, Debug)]
pub struct FlagName {
    pub name: &'static str,
    pub value: u32,
}

/// Types among which the first byte of a `dyn` parameter chooses.
#[derive(Clone, Debug)]
pub struct Dynamic {
    pub name: &'static str,
    pub alternatives: Vec<(ParameterType, Format)>,
}

/// How numbers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    None,
    Decimal,
    Hexadecimal,
    /// Decimal, padded to ten digits.
    PaddedDecimal,
    Id,
    Directory,
    Octal,
}

macro_rules! parameter_types {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Types of parameters. All integers are little-endian.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ParameterType {
            $($(#[$doc])* $variant,)*
        }

        impl ParameterType {
            /// The type of a name in `events.txt`.
            pub fn named(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

parameter_types! {
    None = "none",
    Int8 = "int8",
    Int16 = "int16",
    Int32 = "int32",
    Int64 = "int64",
    Uint8 = "uint8",
    Uint16 = "uint16",
    Uint32 = "uint32",
    Uint64 = "uint64",
    /// Text with a NUL at its end.
    Text = "charbuf",
    Bytes = "bytebuf",
    /// A 64-bit result: negative numbers are error codes.
    Errno = "errno",
    SocketAddress = "sockaddr",
    SocketTuple = "socktuple",
    /// A 64-bit file descriptor.
    Fd = "fd",
    /// A 64-bit process or thread id.
    Pid = "pid",
    /// A 16-bit count, then so many of a 64-bit descriptor and 16 bits of flags.
    FdList = "fdlist",
    /// A path with a NUL at its end.
    Path = "fspath",
    SyscallId = "syscallid",
    Signal = "sigtype",
    /// Nanoseconds.
    RelativeTime = "reltime",
    /// Nanoseconds since 1970.
    AbsoluteTime = "abstime",
    Port = "port",
    L4Protocol = "l4proto",
    SocketFamily = "sockfamily",
    /// 32 bits.
    Bool = "bool",
    Ipv4Address = "ipv4addr",
    Dynamic = "dyn",
    Flags8 = "flags8",
    Flags16 = "flags16",
    Flags32 = "flags32",
    Uid = "uid",
    Gid = "gid",
    Double = "double",
    SignalSet = "sigset",
    TextArray = "charbufarray",
    TextPairArray = "charbufpairarray",
    Ipv4Network = "ipv4net",
    Ipv6Address = "ipv6addr",
    Ipv6Network = "ipv6net",
    IpAddress = "ipaddr",
    IpNetwork = "ipnet",
    Mode = "mode",
    /// A path relative to the directory in another parameter.
    RelativePath = "fsrelpath",
    Enum8 = "enumflags8",
    Enum16 = "enumflags16",
    Enum32 = "enumflags32",
    Fd32 = "fd32",
    Pid32 = "pid32",
}

impl ParameterType {
    /// Bytes of a value that has a fixed width; 0 for texts and buffers.
    pub fn width(self) -> usize {
        match self {
            Self::Int8
            | Self::Uint8
            | Self::Flags8
            | Self::Enum8
            | Self::Signal
            | Self::L4Protocol
            | Self::SocketFamily => 1,
            Self::Int16 | Self::Uint16 | Self::SyscallId | Self::Port | Self::Flags16 | Self::Enum16 => 2,
            Self::Int32
            | Self::Uint32
            | Self::Bool
            | Self::Ipv4Address
            | Self::Flags32
            | Self::Enum32
            | Self::Uid
            | Self::Gid
            | Self::SignalSet
            | Self::Mode
            | Self::Fd32
            | Self::Pid32 => 4,
            Self::Int64
            | Self::Uint64
            | Self::Errno
            | Self::Fd
            | Self::Pid
            | Self::RelativeTime
            | Self::AbsoluteTime
            | Self::Double => 8,
            Self::Ipv6Address => 16,
            _ => 0,
        }
    }
}
