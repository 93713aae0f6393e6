//! `META-INF/MANIFEST.MF` (JAR file specification, "JAR Manifest").

/// Attributes kept of one manifest; signed archives have one for each class.
const MAX_ATTRIBUTES: usize = 4096;
const MAX_VALUE: usize = 16 * 1024;

/// The attributes of the main section, then those of all others.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    main: Vec<(String, String)>,
    others: Vec<(String, String)>,
}

impl Manifest {
    /// Reads what is well-formed; lines that are not are passed over.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut manifest = Self::default();
        let mut section = &mut manifest.main;
        for line in text.lines() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                if !section.is_empty() {
                    section = &mut manifest.others;
                }
            } else if let Some(continued) = line.strip_prefix(' ') {
                if let Some((_, value)) = section.last_mut().filter(|(_, value)| value.len() < MAX_VALUE) {
                    value.push_str(continued);
                }
            } else if let Some((key, value)) = line.split_once(':') {
                if section.len() >= MAX_ATTRIBUTES {
                    break;
                }
                section.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
        manifest
    }

    /// A main attribute that is there and says something; names ignore case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        find(&self.main, name)
    }

    /// An attribute of the main section, or else of the first other section that has it.
    pub(super) fn anywhere(&self, name: &str) -> Option<&str> {
        self.get(name).or_else(|| find(&self.others, name))
    }
}

fn find<'a>(section: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = section.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    // `${project.version}` and the like: the build forgot to fill it in.
    Some(value.trim()).filter(|value| !value.is_empty() && !value.contains("${"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_continued_lines_and_keeps_sections_apart() {
        let manifest = Manifest::parse(
            b"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.example.a.very.long.na\r\n me;singleton:=true\r\n\
              Implementation-Version: ${version}\r\n\r\nName: org/example/\r\nImplementation-Version: 1.2\r\n",
        );
        assert_eq!(manifest.get("bundle-symbolicname"), Some("org.example.a.very.long.name;singleton:=true"));
        assert_eq!(manifest.get("Implementation-Version"), None);
        assert_eq!(manifest.anywhere("Implementation-Version"), Some("1.2"));
        assert_eq!(manifest.get("Name"), None);
    }
}
