//! Flow collections whose lines are indented less than their parent.
//!
//! YAML 1.2 forbids them, Falco's parser takes them, and rule files in the field have them: a `]` at the start of a line.

use std::borrow::Cow;

use yagura_formats::document::yaml;

/// Lines of one file that are mended.
const MAX_LINES: usize = 64;
/// White space means nothing within a flow collection, so any indentation that is deep enough will do.
const INDENTATION: &str = "                                                                ";

/// The text with such lines indented. Line numbers stay, and what has no such lines comes back as it is.
pub(super) fn mend(content: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(content);
    for _ in 0..MAX_LINES {
        let line = {
            let tree = yaml::parse(&text);
            // The scanner says this only of lines within a flow collection.
            let problem = tree.problems.iter().find(|problem| {
                problem.reason.is_some()
                    && matches!(
                        problem.detail.as_str(),
                        "invalid indentation" | "invalid indentation in flow construct"
                    )
            });
            match problem {
                Some(problem) => problem.line,
                None => return text,
            }
        };
        let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
        let already = text.get(start..).is_some_and(|rest| rest.starts_with(INDENTATION));
        if already || !text.is_char_boundary(start) {
            return text;
        }
        text.to_mut().insert_str(start, INDENTATION);
    }
    text
}
