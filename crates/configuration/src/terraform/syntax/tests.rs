//! Places of syntax.

use super::{Kind, parse, parse_template};

#[test]
fn every_part_knows_its_place() {
    let text = "# é\na = [\n  \"x${b.c}\",\n]\nblock \"l\" m {\n  d = <<-E\n    t\n  E\n}\n";
    let file = parse(text, 7);
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    let a = &file.body.attributes[0];
    assert_eq!((a.span.line, a.span.column, a.span.source), (2, 1, 7));
    let Kind::Tuple(items) = &a.value.kind else { panic!() };
    assert_eq!((items[0].span.line, items[0].span.column, items[0].span.end_line), (3, 3, 3));
    let slice = &text[items[0].span.start as usize..items[0].span.end as usize];
    assert_eq!(slice, "\"x${b.c}\"");
    let block = &file.body.blocks[0];
    assert_eq!((block.labels.join(","), block.span.line, block.span.end_line), ("l,m".to_owned(), 5, 9));
    let d = &block.body.attributes[0].value;
    assert_eq!((d.span.line, d.span.end_line, d.word()), (6, 8, Some("t\n")));
}

#[test]
fn templates_stand_alone() {
    assert!(parse_template("a ${b} %{ if c }d%{ endif }", 0).is_ok());
    for broken in ["${", "%{ if a }b", "%{ endif }", "%{ what }", "${a b}"] {
        assert!(parse_template(broken, 0).is_err(), "{broken}");
    }
}
