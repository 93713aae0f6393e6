use super::*;

#[test]
fn every_line_of_the_data_is_read() {
    let table = table();
    assert_eq!(table.len(), 454);
    let open = table.event(3).unwrap();
    assert_eq!((open.key, open.name, open.is_enter()), ("SYSCALL_OPEN_X", "open", false));
    assert_eq!(open.parameter_index("flags"), Some(2));
    let Detail::Flags(number) = open.parameters[2].detail else { panic!("flags have a table") };
    assert!(table.flag_table(number).unwrap().flags.iter().any(|flag| flag.name == "O_CREAT"));
    assert_eq!(table.current("openat"), table.code("SYSCALL_OPENAT_2_X"));
    assert_eq!(table.current("procexit"), table.code("PROCEXIT_1_E"));
    assert_eq!(table.syscall(3), Some("read"));
    assert_eq!(table.syscall_number("openat2"), Some(322));
    assert_eq!(table.events().filter(|event| event.flags.has(EventFlags::OLD)).count(), 223);
}

#[test]
fn every_conversion_ends_at_an_event_of_today() {
    let table = table();
    for event in table.events() {
        for conversion in &table.conversions[usize::from(event.code)] {
            let (target, count) = match conversion.action {
                Action::Add => (event, conversion.recorded + conversion.parameters.len()),
                Action::Become(code) => (table.event(code).unwrap(), conversion.parameters.len()),
                Action::Pass | Action::Store { .. } => continue,
            };
            let done = target.parameters.len() == count && !target.flags.has(EventFlags::OLD);
            assert!(
                done || table.conversion(target.code, count).is_some(),
                "{} with {} parameters becomes {} with {count}, which is no event of today",
                event.key,
                conversion.recorded,
                target.key
            );
            for from in &conversion.parameters {
                match *from {
                    From::Own(number) => assert!(usize::from(number) < conversion.recorded, "{}", event.key),
                    From::Enter { parameter, .. } => {
                        let enter = table.event(event.code - 1).unwrap();
                        assert!(usize::from(parameter) < enter.parameters.len(), "{}", event.key);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn an_event_survives_its_encoding() {
    let code = table().code("SYSCALL_OPEN_X").unwrap();
    let mut encoder = EventEncoder::default();
    encoder.start(7, 42, 3, code).i64(-2).text(b"/etc/shadow").u32(1).u32(0).empty().u64(9);
    let mut bytes = Vec::new();
    encoder.event().encode(&mut bytes);
    bytes.extend_from_slice(b"more");
    let event = RawEvent::parse(&bytes, 3, 0).unwrap();
    assert_eq!((event.ts, event.tid, event.cpu, event.code, event.count()), (7, 42, 3, code, 6));
    assert_eq!(event.signed(0), Some(-2));
    assert_eq!(event.text(1), Some(&b"/etc/shadow"[..]));
    assert_eq!(event.parameter(1), Some(&b"/etc/shadow\0"[..]));
    assert_eq!(event.unsigned(4), None);
    assert_eq!(event.unsigned(5), Some(9));
    assert_eq!(event.parameter(6), None);
    assert_eq!(event.parameters().count(), 6);
}

#[test]
fn lengths_that_lie_are_refused() {
    let mut encoder = EventEncoder::default();
    encoder.start(1, 1, 0, 3).i64(3).text(b"/x");
    let mut bytes = Vec::new();
    encoder.event().encode(&mut bytes);
    for cut in 0..bytes.len() {
        assert!(RawEvent::parse(&bytes[..cut], 0, 0).is_err(), "cut at {cut}");
    }
    let mut longer = bytes.clone();
    longer[HEADER_BYTES] = 200;
    assert_eq!(RawEvent::parse(&longer, 0, 0).unwrap_err(), RawProblem::Lengths);
    let mut many = bytes;
    many[22] = 33;
    assert_eq!(RawEvent::parse(&many, 0, 0).unwrap_err(), RawProblem::Parameters(33));
}

#[test]
fn small_numbers_are_extended() {
    assert_eq!(raw::signed(&[0xff]), Some(-1));
    assert_eq!(raw::signed(&[0x7f, 0xff]), Some(-129));
    assert_eq!(raw::signed(&(-5i64).to_le_bytes()), Some(-5));
    assert_eq!(raw::signed(&[]), None);
    assert_eq!(raw::unsigned(&[0; 9]), None);
}
