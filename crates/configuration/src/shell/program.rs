//! Which program a command runs, past whatever runs it for somebody else.

use super::Word;

/// The program of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program<'w> {
    /// Its file name; empty for assignments and redirections alone.
    pub name: &'w str,
    /// Where in the words it stands.
    pub at: usize,
    /// What runs it: `sudo`, `env`, `time`, …
    pub wrappers: Vec<&'w str>,
}

impl Program<'_> {
    /// The words after the program.
    pub fn arguments<'w>(&self, words: &'w [Word]) -> &'w [Word] {
        words.get(self.at + 1..).unwrap_or_default()
    }
}

/// A program that runs another, and its options that take a value as the next word.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("sudo", &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "--user", "--group"]),
    ("doas", &["-u", "-C"]),
    ("env", &["-u", "-C", "-S", "--unset", "--chdir"]),
    ("exec", &["-a"]),
    ("command", &[]),
    ("builtin", &[]),
    ("nohup", &[]),
    ("nice", &["-n", "--adjustment"]),
    ("ionice", &["-c", "-n", "-p"]),
    ("time", &["-f", "-o"]),
    ("timeout", &["-s", "-k", "--signal", "--kill-after"]),
    ("stdbuf", &["-i", "-o", "-e"]),
    ("setsid", &[]),
    ("chroot", &["--userspec", "--groups"]),
    ("xargs", &["-I", "-n", "-P", "-L", "-d", "-E", "-s", "-a"]),
    ("tini", &["-p", "-e"]),
    ("dumb-init", &["-r"]),
    ("gosu", &[]),
    ("su-exec", &[]),
    ("busybox", &[]),
    ("eatmydata", &[]),
];

/// How many plain words stand between a wrapper and the program it runs.
fn operands(wrapper: &str) -> usize {
    match wrapper {
        "timeout" | "chroot" | "gosu" | "su-exec" => 1,
        _ => 0,
    }
}

/// Finds the program among a command's words.
pub fn program(words: &[Word]) -> Program<'_> {
    let mut found = Program { name: "", at: 0, wrappers: Vec::new() };
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let name = file_name(&word.text);
        let Some((_, valued)) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name) else {
            (found.name, found.at) = (name, at);
            return found;
        };
        let mut next = at + 1;
        let mut skip = operands(name);
        while let Some(option) = words.get(next) {
            if option.text == "--" {
                next += 1;
                break;
            }
            if valued.contains(&option.text.as_str()) {
                next += 2;
            } else if option.text.starts_with('-') || (name == "env" && option.text.contains('=')) {
                next += 1;
            } else if skip > 0 {
                skip -= 1;
                next += 1;
            } else {
                break;
            }
        }
        if next >= words.len() {
            (found.name, found.at) = (name, at);
            return found;
        }
        found.wrappers.push(name);
        at = next;
    }
    found
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
