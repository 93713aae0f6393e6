//! One requirement as PEP 508 writes it: `name[extra] (>=1,==1.2) ; marker` or `name @ url`.

use yagura_model::package::Dependency;

use super::normalise_name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement<'a> {
    /// Normalised.
    pub name: String,
    /// Version clauses as written, without parentheses.
    pub specifiers: &'a str,
    /// After `@`.
    pub url: Option<&'a str>,
    /// After `;`.
    pub marker: &'a str,
}

impl<'a> Requirement<'a> {
    /// `None` when the text does not start with a name.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let length = text
            .bytes()
            .position(|byte| !matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
            .unwrap_or(text.len());
        let name = text.get(..length)?;
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        let mut rest = text.get(length..)?.trim_start();
        if let Some(extras) = rest.strip_prefix('[') {
            rest = extras.split_once(']')?.1.trim_start();
        }
        let name = normalise_name(name);
        if let Some(link) = rest.strip_prefix('@') {
            // In a link a marker stands after a blank (PEP 508).
            let (url, marker) = link.split_once(" ;").unwrap_or((link, ""));
            return Some(Self { name, specifiers: "", url: Some(url.trim()), marker: marker.trim() });
        }
        let (specifiers, marker) = rest.split_once(';').unwrap_or((rest, ""));
        let specifiers = specifiers.trim().trim_start_matches('(').trim_end_matches(')').trim();
        let starts_right = specifiers.is_empty() || specifiers.starts_with(['=', '<', '>', '!', '~']);
        starts_right.then_some(Self { name, specifiers, url: None, marker: marker.trim() })
    }

    /// The version that is asked for exactly (`==1.2`, `===1.2`), where one is.
    pub fn exact_version(&self) -> Option<&'a str> {
        self.specifiers.split(',').find_map(|clause| {
            let version = clause.trim().strip_prefix("==")?;
            let version = version.strip_prefix('=').unwrap_or(version).trim();
            (!version.is_empty() && !version.contains(['*', ' '])).then_some(version)
        })
    }

    pub fn dependency(&self) -> Dependency {
        Dependency { name: self.name.clone(), version: self.exact_version().map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::Requirement;

    #[test]
    fn reads_names_pins_and_markers() {
        for (text, name, version) in [
            ("Django==4.2.1", "django", Some("4.2.1")),
            ("a.b [x, y] == 1.0 ; python_version < '3.8'", "a-b", Some("1.0")),
            ("c (===2.0+local)", "c", Some("2.0+local")),
            ("d>=1,==1.5,!=1.4", "d", Some("1.5")),
            ("e==1.*", "e", None),
            ("f>=2", "f", None),
            ("g @ https://example.org/g-1.0.zip ; os_name == 'nt'", "g", None),
            ("h", "h", None),
        ] {
            let requirement = Requirement::parse(text).unwrap();
            assert_eq!((requirement.name.as_str(), requirement.exact_version()), (name, version), "{text}");
        }
        for text in ["", "-e .", "./local", "https://example.org/x.whl", "a b"] {
            assert_eq!(Requirement::parse(text), None, "{text}");
        }
    }
}
