//! What conditions mean.

use yagura_language::falco::condition::{MAX_DEPTH, parse};
use yagura_language::falco::predicate::{Compiler, Memory, Program};

use crate::paper::{Event, SYSCALLS};

fn judge(condition: &str, event: &Event) -> Result<bool, String> {
    let expression = parse(condition).map_err(|error| format!("{} at {}", error.message, error.at))?;
    let mut program = Program::default();
    let mut compiler = Compiler::new(&SYSCALLS);
    let node = compiler.condition(&expression, &mut program).map_err(|error| error.message)?;
    let mut memory = Memory::default();
    memory.next_event();
    let plain = program.evaluate(node, event, &mut memory);
    // What is left for the event's own type must say the same.
    use yagura_model::field::Fields as _;
    let special = program.specialise(node, event.event_type(), &mut Default::default());
    memory.next_event();
    assert_eq!(program.evaluate(special, event, &mut memory), plain, "{condition}");
    Ok(plain)
}

#[track_caller]
fn holds(event: &Event, conditions: &[&str]) {
    for condition in conditions {
        assert_eq!(judge(condition, event), Ok(true), "{condition}");
    }
}

#[track_caller]
fn fails(event: &Event, conditions: &[&str]) {
    for condition in conditions {
        assert_eq!(judge(condition, event), Ok(false), "{condition}");
    }
}

#[track_caller]
fn wrong(conditions: &[(&str, &str)]) {
    for (condition, message) in conditions {
        let error = judge(condition, &Event::of("open")).expect_err(condition);
        assert!(error.contains(message), "{condition}: {error}");
    }
}

fn shell() -> Event {
    Event::of("execve").with(&[
        ("proc.name", "bash"),
        ("proc.pname", "nginx"),
        ("proc.cmdline", "bash -c echo aGVsbG8="),
        ("proc.exepath", "/usr/bin/bash"),
        ("proc.args", "-c echo"),
        ("proc.pid", "42"),
        ("proc.duration", "5000"),
        ("proc.aname", "nginx|containerd-shim|systemd"),
        ("proc.aname[2]", "containerd-shim"),
        ("user.uid", "1000"),
        ("user.loginuid", "-1"),
        ("fd.num", "-1"),
        ("evt.buffer", "\u{7f}ELF"),
        ("test.arguments", "-c|-x5|file"),
        ("test.numbers", "1|2|3"),
        ("test.ratio", "1.5"),
        ("container.privileged", "true"),
        ("proc.cwd", ""),
    ])
}

#[test]
fn operators_on_texts() {
    holds(
        &shell(),
        &[
            "proc.name=bash",
            "proc.name == bash",
            "proc.name = 'bash'",
            "proc.name!=sh",
            "proc.cmdline contains echo",
            "proc.cmdline icontains ECHO",
            "proc.cmdline startswith \"bash -c\"",
            "proc.cmdline endswith '='",
            "proc.cmdline endswith 'bG8='",
            "proc.exepath glob /usr/*bash",
            "proc.exepath iglob /USR/*/BASH",
            "proc.exepath regex '/usr/(s?)bin/[a-z]+'",
            "proc.name in (sh, bash)",
            "proc.name in(sh,bash)",
            "proc.name intersects (sh, bash)",
            "proc.exepath pmatch (/opt, /usr/bin)",
            "proc.exepath pmatch (/usr/*/bash)",
            "proc.name < 99999 or proc.name > 5",
            "proc.cwd exists",
            "proc.cwd=''",
        ],
    );
    fails(
        &shell(),
        &[
            "proc.name=Bash",
            "proc.name in ()",
            "proc.name in (zsh)",
            "proc.exepath regex bash",
            "proc.exepath regex '.*bash/'",
            "proc.exepath pmatch (/usr/bin/bas)",
            "proc.exepath glob bash",
            "proc.name endswith sh2",
        ],
    );
}

#[test]
fn operators_on_numbers_and_others() {
    holds(
        &shell(),
        &[
            "proc.pid=42",
            "proc.pid=0x2a",
            "proc.pid != 43",
            "proc.pid >= 42 and proc.pid<=42 and proc.pid>41 and proc.pid<43",
            "proc.pid in (1, 42)",
            "fd.num=-1",
            "fd.num<0",
            "user.loginuid = -1",
            "proc.duration <= 5000",
            "test.ratio > 1.2",
            "container.privileged=true",
            "container.privileged in (true)",
            "not container.privileged=false",
            "evt.buffer startswith '\\x7fELF'",
            "evt.buffer bstartswith 7f454c46",
            "evt.buffer bcontains 4C46",
            "evt.buffer contains ELF",
            "evt.num>0",
            "not evt.num=0",
            "evt.type=execve and evt.type in (open, execve) and evt.type!=open",
        ],
    );
    fails(&shell(), &["evt.num=0", "evt.num in (0)", "evt.type in (open)", "user.uid=-1", "proc.pid > 42"]);
    wrong(&[
        ("proc.pid contains 4", "'contains' operator not supported for numeric filters"),
        ("proc.pid pmatch (4)", "'pmatch' operator not supported for numeric filters"),
        ("proc.pid=many", "not a valid number"),
        ("proc.name bcontains 00", "'bcontains' operator not supported for string filters"),
        ("evt.buffer bcontains xyz", "support hex strings only"),
        ("evt.buffer glob *", "'glob' operator not supported for buffer filters"),
        ("container.privileged=maybe", "unrecognized boolean value maybe"),
        ("fd.ip<5", "not supported for ip address"),
        ("fd.sip=banana", "unrecognized"),
        ("fd.net=10.0.0.1", "unrecognized IP network"),
        ("test.arguments = x", "not supported list filters"),
        ("proc.exepath regex '('", "invalid regex pattern"),
        ("evt.type=nonsense", "unknown event type nonsense"),
        ("proc.nonsense=1", "nonexistent field proc.nonsense"),
        ("proc.name[1]=x", "does not take an argument"),
    ]);
}

#[test]
fn a_missing_value_makes_every_comparison_false() {
    let event = Event::of("open");
    fails(
        &event,
        &[
            "proc.name=bash",
            "proc.name!=bash",
            "proc.name in (a)",
            "proc.name exists",
            "proc.aname!=x",
            "fd.ip!=1.2.3.4",
            "test.arguments in (a)",
            "proc.name = val(proc.pname)",
            "proc.name != allof (a)",
            "tolower(proc.name)=a",
        ],
    );
    holds(&event, &["not proc.name in (a)", "not proc.name exists", "not proc.name = bash"]);
}

#[test]
fn fields_with_several_values() {
    holds(
        &shell(),
        &[
            "proc.aname=systemd",
            "proc.aname!=systemd",
            "proc.aname in (x, systemd)",
            "proc.aname startswith containerd",
            "proc.aname[2]=containerd-shim",
            "not proc.aname=bash",
            "test.arguments in (-c, -x5, file, more)",
            "test.arguments intersects (file)",
            "test.numbers intersects (3, 4)",
        ],
    );
    fails(&shell(), &["proc.aname[2]=nginx", "test.arguments in (-c, file)", "test.numbers intersects (7)"]);
    let connection = Event::of("connect").with(&[
        ("fd.ip", "10.0.0.5|93.184.216.34"),
        ("fd.net", "10.0.0.5|93.184.216.34"),
        ("fd.port", "40000|443"),
        ("fd.sip", "93.184.216.34"),
        ("fd.snet", "fe80::1"),
    ]);
    holds(
        &connection,
        &[
            "fd.ip=10.0.0.5",
            "fd.ip=93.184.216.34",
            "fd.ip!=1.1.1.1",
            "fd.ip in (1.1.1.1, 10.0.0.5)",
            "fd.net=10.0.0.0/8",
            "fd.net in (192.168.0.0/16, 93.184.0.0/16)",
            "fd.port=https",
            "fd.port>39999",
            "fd.port!=80",
            "fd.sip=93.184.216.0/24",
            "fd.sip!=::1",
            "fd.snet in (\"fe80::/10\")",
            "fd.snet!=10.0.0.0/8",
        ],
    );
    // Unequal must hold of both ends.
    fails(&connection, &["fd.ip!=10.0.0.5", "fd.port!=443", "fd.net!=10.0.0.0/8"]);
}

#[test]
fn modifiers_ask_for_one_any_or_all() {
    holds(
        &shell(),
        &[
            "proc.name startswith anyof (z, ba)",
            "proc.name contains allof (a, s)",
            "proc.name contains oneof (as, zz)",
            "proc.name = anyof (sh, bash)",
            "proc.name != allof (sh, zsh)",
            "proc.name regex anyof (a+, 'ba.h')",
            "proc.pid != allof (1, 2)",
            // Without a list behind it, a modifier is a text.
            "proc.name != anyof",
            "proc.name != anyof and proc.name=bash",
        ],
    );
    fails(
        &shell(),
        &[
            "proc.name contains oneof (a, s)",
            "proc.name startswith anyof (z, y)",
            "proc.name startswith allof (b, y)",
            "proc.name startswith anyof ()",
            "proc.name startswith allof ()",
            "proc.name != allof (sh, bash)",
        ],
    );
}

#[test]
fn transformers_and_fields_on_the_right() {
    holds(
        &shell(),
        &[
            "toupper(proc.name)=BASH",
            "tolower(toupper(proc.name))=bash",
            "basename(proc.exepath)=bash",
            "basename(proc.exepath)=val(proc.name)",
            "proc.name=basename(proc.exepath)",
            "proc.cmdline contains val(proc.name)",
            "len(proc.name)=4",
            "len(proc.name) > 3",
            "len(test.arguments)=3",
            "join(\" \", test.arguments)='-c -x5 file'",
            "join(\"\", (proc.name, 1, '-'))=bash1-",
            "concat(proc.name, '-', proc.pname)=bash-nginx",
            "getopt(test.arguments, \"cx:\")[x]=5",
            "getopt(test.arguments, \"cx:\") intersects (c)",
            "getopt(test.arguments, \"cx:\") in (c, x, 5)",
            "len(getopt(test.arguments, \"cx:\"))=3",
            "proc.name in val(proc.name)",
            "proc.pid > val(user.loginuid)",
        ],
    );
    let encoded = Event::of("open").with(&[("proc.args", "aGVsbG8"), ("proc.name", "!")]);
    holds(&encoded, &["b64(proc.args)=hello", "not b64(proc.name) exists"]);
    wrong(&[
        ("tolower(proc.pid)=1", "is not supported by 'tolower' transformer"),
        ("tolower(proc.aname)=a", "does not support transformers"),
        ("proc.name=val(proc.pid)", "incompatible type"),
        ("proc.name pmatch val(proc.pname)", "doesn't support right-hand side fields"),
        ("fd.net=val(fd.net)", "doesn't support right-hand side fields"),
        ("concat(proc.name)=a", "at least 2 arguments"),
        ("join(proc.name, proc.name)=a", "must be a list"),
        ("getopt(test.arguments, \"a\")[xx]=a", "single option character"),
        ("tolower(proc.name)[1]=a", "does not support field arguments"),
    ]);
}

#[test]
fn grammar_at_its_edges() {
    let event = shell();
    holds(
        &event,
        &[
            "(proc.name=bash)",
            "((proc.name=bash)and(proc.pid=42))",
            "proc.name=zsh or(proc.name=bash)",
            "not(proc.name=zsh)",
            "not not proc.name=bash",
            "not not(not proc.name=zsh)",
            " \n\tproc.name \r\n = \t bash \n",
            "proc.name=bash or proc.name=zsh and proc.name=ksh",
            "proc.name = \"b\\x61sh\"",
            "proc.name in ( \"bash\" , 'x y' )",
            "proc.cmdline contains \"-c echo\"",
            "proc.aname[\"2\"] = containerd-shim",
            "proc.name startswith b",
            "proc.pid<43",
        ],
    );
    wrong(&[
        ("", "empty"),
        ("proc.name", "valid check operator"),
        ("proc.name=", "expected a string value"),
        ("proc.name=bash proc.pid=1", "unexpected token after 'bash'"),
        ("proc.name=bash and", "expected blank or '(' after 'and'"),
        ("proc.name=bash andproc.pid=1", "expected blank or '(' after 'and'"),
        ("(proc.name=bash", "expected a ')'"),
        ("proc.name in (a, )", "expected a string value"),
        ("proc.name in (a", "expected a ')'"),
        ("proc.name='a\\q'", "unsupported string escape"),
        ("proc.name='a\\x4'", "hex char"),
        ("proc.name='a\\\"'", "invalid \\\" escape"),
        ("proc.pid < bash", "expected a number value"),
        ("proc.name=val(bash)", "expected a field within 'val'"),
        ("proc.name[=1", "expected a ']'"),
        ("undefined_macro", "unexpected identifier 'undefined_macro'"),
        ("proc.name contains(a)", "valid check operator"),
    ]);
    let error = parse("proc.name=bash and\n  proc.pid ~ 1").unwrap_err();
    assert_eq!((error.at.line, error.at.column), (2, 12));
}

#[test]
fn depth_is_bounded() {
    let nested = |count: usize| format!("{}proc.name=bash{}", "(".repeat(count), ")".repeat(count));
    assert_eq!(judge(&nested(100), &shell()), Ok(true));
    for count in [300, 100_000] {
        let error = judge(&nested(count), &shell()).unwrap_err();
        assert!(error.contains(&format!("exceeded max depth limit of {MAX_DEPTH}")), "{error}");
    }
    assert!(judge(&("not(".repeat(5000) + "proc.name=a"), &shell()).is_err());
    let transformers = "tolower(".repeat(5000) + "proc.name" + &")".repeat(5000) + "=a";
    assert!(judge(&transformers, &shell()).is_err());
    // Many siblings are no depth.
    let wide = vec!["proc.name=zsh"; 20_000].join(" or ") + " or proc.pid=42";
    assert_eq!(judge(&wide, &shell()), Ok(true));
}

#[test]
fn what_two_conditions_share_is_one_node() {
    let mut program = Program::default();
    let mut compiler = Compiler::new(&SYSCALLS);
    let mut add = |condition: &str| compiler.condition(&parse(condition).unwrap(), &mut program).unwrap();
    let first = add("evt.type=open and proc.name in (a, b)");
    assert_eq!(first, add("proc.name in (b,a) and evt.type = open"));
    assert_eq!(first, add("(evt.type=open and (proc.name in (a, b) and evt.type=open))"));
    assert_ne!(first, add("evt.type=open and proc.pname in (a, b)"));
    assert_eq!(Program::NEVER, add("evt.num=0 and proc.name=x"));
}

#[test]
fn specialised_conditions_tell_which_types_they_can_be_true_for() {
    let types = |condition: &str| -> Vec<String> {
        let mut program = Program::default();
        let node = Compiler::new(&SYSCALLS).condition(&parse(condition).unwrap(), &mut program).unwrap();
        let mut seen = Vec::new();
        for name in ["open", "openat", "execve", "connect"] {
            use yagura_model::field::FieldCatalogue as _;
            let event_type = SYSCALLS.event_type(name);
            if program.specialise(node, event_type, &mut Default::default()) != Program::NEVER {
                seen.push(name.to_owned());
            }
        }
        seen
    };
    assert_eq!(types("evt.type in (open, openat) and evt.type!=open"), ["openat"]);
    assert_eq!(types("evt.type=open or evt.type=execve"), ["open", "execve"]);
    assert_eq!(types("not (evt.type=open or proc.name=x)"), ["openat", "execve", "connect"]);
    assert_eq!(types("not (evt.type=open and proc.name=x)").len(), 4);
    assert_eq!(types("evt.type=open and evt.type=execve"), [""; 0]);
    assert_eq!(types("proc.name=x").len(), 4);
}

#[test]
fn likely_mistakes_are_warned_of() {
    let warnings = |condition: &str| {
        let mut program = Program::default();
        let mut compiler = Compiler::new(&SYSCALLS);
        compiler.condition(&parse(condition).unwrap(), &mut program).unwrap();
        compiler.warnings.into_iter().map(|warning| warning.message).collect::<Vec<_>>()
    };
    assert!(warnings("proc.name=proc.pname")[0].contains("may be a valid field misused"));
    assert!(warnings("proc.name='tolower(proc.pname)'")[0].contains("may be a valid field transformer"));
    assert!(warnings("proc.name regex '.*bash'")[0].contains("may be optimized"));
    assert_eq!(warnings("proc.name regex '[a-z]+' and proc.name=httpd.exe"), [""; 0]);
}
