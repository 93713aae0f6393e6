//! Where the loader would put the parts of a file: just enough of ELF, PE and Mach-O headers to follow a pointer.

use object::Endianness;
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::macho::MachHeader;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader};
use object::{elf, macho, pe};

/// Segments looked at; real programs have a dozen.
const MAX_SEGMENTS: usize = 256;

/// A stretch of the file and the address it is loaded at.
#[derive(Clone, Copy, Debug)]
struct Segment {
    address: u64,
    offset: u64,
    size: u64,
}

/// What the headers at the start of an executable say.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Whether the file can be run or loaded; relocatable objects and core dumps cannot.
    pub(crate) loadable: bool,
    segments: Vec<Segment>,
}

impl Layout {
    /// Reads the headers from the first bytes of a file; `None` when it is not an executable.
    pub(crate) fn read(head: &[u8]) -> Option<Self> {
        match head.get(..4)? {
            b"\x7fELF" => match head.get(4)? {
                1 => elf_layout::<elf::FileHeader32<Endianness>>(head),
                _ => elf_layout::<elf::FileHeader64<Endianness>>(head),
            },
            [b'M', b'Z', ..] => pe_layout(head),
            [0xcf, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xcf] => {
                macho_layout::<macho::MachHeader64<Endianness>>(head)
            }
            [0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce] => {
                macho_layout::<macho::MachHeader32<Endianness>>(head)
            }
            // A universal file; Java classes share its magic but have a version (45 and up) for the count.
            [0xca, 0xfe, 0xba, 0xbe] => {
                let count = u32::from_be_bytes(head.get(4..8)?.try_into().ok()?);
                (1..45).contains(&count).then_some(Self { loadable: true, segments: Vec::new() })
            }
            _ => None,
        }
    }

    /// The offset in the file of what is loaded at `address`.
    pub(crate) fn file_offset(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|segment| {
            let inside = address.checked_sub(segment.address).filter(|inside| *inside < segment.size)?;
            segment.offset.checked_add(inside)
        })
    }
}

fn elf_layout<H: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Layout> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let kind = header.e_type(endian);
    let segments = header.program_headers(endian, head).unwrap_or_default();
    Some(Layout {
        loadable: kind == elf::ET_EXEC || kind == elf::ET_DYN,
        segments: segments
            .iter()
            .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
            .take(MAX_SEGMENTS)
            .map(|segment| Segment {
                address: segment.p_vaddr(endian).into(),
                offset: segment.p_offset(endian).into(),
                size: segment.p_filesz(endian).into(),
            })
            .collect(),
    })
}

fn pe_layout(head: &[u8]) -> Option<Layout> {
    pe_segments::<pe::ImageNtHeaders64>(head)
        .or_else(|| pe_segments::<pe::ImageNtHeaders32>(head))
        .map(|segments| Layout { loadable: true, segments })
}

fn pe_segments<H: ImageNtHeaders>(head: &[u8]) -> Option<Vec<Segment>> {
    let dos = pe::ImageDosHeader::parse(head).ok()?;
    let mut offset = u64::from(dos.nt_headers_offset());
    let (headers, _) = H::parse(head, &mut offset).ok()?;
    let base = headers.optional_header().image_base();
    let sections = headers.sections(head, offset).ok()?;
    let little = object::LittleEndian;
    Some(
        sections
            .iter()
            .take(MAX_SEGMENTS)
            .map(|section| Segment {
                address: base.saturating_add(u64::from(section.virtual_address.get(little))),
                offset: u64::from(section.pointer_to_raw_data.get(little)),
                size: u64::from(section.size_of_raw_data.get(little)),
            })
            .collect(),
    )
}

fn macho_layout<H: MachHeader<Endian = Endianness>>(head: &[u8]) -> Option<Layout> {
    let header = H::parse(head, 0).ok()?;
    let endian = header.endian().ok()?;
    let mut segments = Vec::new();
    if let Ok(mut commands) = header.load_commands(endian, head, 0) {
        while let Ok(Some(command)) = commands.next() {
            if segments.len() >= MAX_SEGMENTS {
                break;
            }
            if let Ok(Some((segment, _))) = command.segment_64() {
                segments.push(Segment {
                    address: segment.vmaddr.get(endian),
                    offset: segment.fileoff.get(endian),
                    size: segment.filesize.get(endian),
                });
            } else if let Ok(Some((segment, _))) = command.segment_32() {
                segments.push(Segment {
                    address: segment.vmaddr.get(endian).into(),
                    offset: segment.fileoff.get(endian).into(),
                    size: segment.filesize.get(endian).into(),
                });
            }
        }
    }
    Some(Layout { loadable: header.filetype(endian) != macho::MH_OBJECT, segments })
}
