use std::sync::Arc;

use yagura_formats::layer::{Analyser as _, PassingFile};

use super::*;

fn secrets() -> Secrets {
    static RULES: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    let rules = RULES.get_or_init(|| Arc::new(RuleSet::builtin().unwrap()));
    Secrets::new(Arc::clone(rules), FingerprintKey::new([7; 32]))
}

fn found(secrets: &Secrets, path: &str, text: &str) -> Vec<(String, Option<u32>)> {
    let observed = secrets.search(path, text.as_bytes());
    observed.observations.into_iter().map(|seen| (seen.rule, seen.location.start_line)).collect()
}

#[test]
fn every_rule_finds_its_examples_and_only_those() {
    let secrets = secrets();
    let mut wrong = Vec::new();
    for rule in secrets.rules().rules() {
        assert!(rule.compiles(), "{}", rule.id);
        if rule.examples.matching.is_empty() || rule.examples.clean.is_empty() {
            wrong.push(format!("{}: needs examples of both kinds", rule.id));
        }
        for example in &rule.examples.matching {
            let found = found(&secrets, &example.file, &example.text);
            if !found.iter().any(|(id, _)| *id == rule.id) {
                wrong.push(format!("{}: not found in {:?}, but {found:?}", rule.id, example));
            }
        }
        for example in &rule.examples.clean {
            let found = found(&secrets, &example.file, &example.text);
            // What is no key of this provider may be one of no known kind.
            let generic = |id: &str| secrets.rules().get(id).is_some_and(|rule| rule.generic);
            if found.iter().any(|(id, _)| *id == rule.id || rule.generic || !generic(id)) {
                wrong.push(format!("{}: {found:?} in {:?}", rule.id, example));
            }
        }
    }
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
    assert!(secrets.rules().rules().len() >= 250);
}

/// A GitHub token with a right checksum, put together here so that no scanner takes it for one.
fn token() -> String {
    ["gh", "p_wWPw5k4aXcaT4fNP0UcnZ", "wJUVFk6LO0pINUx"].concat()
}

/// Gives a file in pieces of `size` bytes.
fn in_pieces(secrets: &Secrets, path: &str, content: &[u8], size: usize) -> Vec<yagura_model::Observation> {
    let mut consumer = secrets.begin();
    let head = &content[..content.len().min(64)];
    let file = PassingFile { path, mode: 0o644, size: content.len() as u64, capability: &[], head };
    assert!(consumer.wants(&file), "{path}");
    for piece in content.chunks(size) {
        consumer.bytes(piece);
    }
    consumer.end(true).observations
}

#[test]
fn where_a_file_is_cut_into_pieces_does_not_matter() {
    let secrets = secrets();
    let mut text = String::new();
    // Longer than two blocks, with a secret every 40,003 bytes: some lie across every kind of boundary.
    let mut expected = Vec::new();
    let mut lines = 1;
    while text.len() < 3 << 20 {
        let filler = format!("{}\n", "a line of nothing in particular ".repeat(31));
        while text.len() % 80_006 < 79_000 {
            text.push_str(&filler);
            lines += 1;
        }
        text.push_str(&"-".repeat(80_006 - text.len() % 80_006));
        text.push_str(&format!(" {} \n", token()));
        expected.push(lines);
        lines += 1;
    }
    expected.truncate(50);
    for size in [text.len(), 64 << 10, (1 << 20) - 7] {
        let seen = in_pieces(&secrets, "app.log", text.as_bytes(), size);
        let found: Vec<u32> = seen.iter().filter_map(|seen| seen.location.start_line).collect();
        assert_eq!(found, expected, "pieces of {size}");
    }
    let short = format!("x = 1\n\ntoken: {}\n", token());
    for size in 1..short.len() {
        let seen = in_pieces(&secrets, "app.log", short.as_bytes(), size);
        assert_eq!(seen.len(), 1, "pieces of {size}");
        assert_eq!(seen[0].location.start_line, Some(3));
    }
}

#[test]
fn utf_16_is_read_and_binaries_are_searched_for_the_surest_kinds() {
    let secrets = secrets();
    let text = format!("\u{feff}Ünï\ntoken = {}\nDB_PASSWORD=k3Q9!zT7xW\n", token());
    for little in [true, false] {
        let unit = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
        for size in [bytes.len(), 1, 7] {
            let seen = in_pieces(&secrets, "a.ini", &bytes, size);
            let lines: Vec<_> = seen.iter().map(|seen| seen.location.start_line).collect();
            assert_eq!(lines, [Some(2), Some(3)], "little {little}, pieces of {size}");
        }
    }
    let mut binary = b"\x7fELF\x02\x01\x01\0".to_vec();
    binary.extend_from_slice(format!("\0{}\0DB_PASSWORD=k3Q9!zT7xW\0", token()).as_bytes());
    let seen = in_pieces(&secrets, "bin/app", &binary, 5);
    let rules: Vec<_> = seen.iter().map(|seen| (seen.rule.as_str(), seen.location.start_line)).collect();
    assert_eq!(rules, [("YGR-SECRET-github-personal-token", None)]);

    let mut consumer = secrets.begin();
    for head in [&b"\x89PNG\r\n"[..], b"PK\x03\x04", b"\x1f\x8b\x08"] {
        let file = PassingFile { path: "x", mode: 0o644, size: 9, capability: &[], head };
        assert!(!consumer.wants(&file), "{head:?}");
    }
}

#[test]
fn nothing_that_is_kept_holds_the_secret() {
    let secrets = secrets();
    let mut texts: Vec<(String, String)> = Vec::new();
    for rule in secrets.rules().rules() {
        texts.extend(
            rule.examples.matching.iter().map(|example| (example.file.clone(), example.text.clone())),
        );
    }
    for (file, text) in &texts {
        for seen in secrets.search(file, text.as_bytes()).observations {
            let kept = serde_json::to_string(&seen).unwrap();
            // No eight bytes of the file in a row, but for names and words that the rules have, too.
            let excerpt =
                seen.facts["excerpt"].rsplit(" = ").next().unwrap().trim_end_matches('*').to_owned();
            let longest = secrets.rules().get(&seen.rule).unwrap().keywords.iter().map(String::len).max();
            assert!(excerpt.len() <= 4.max(longest.unwrap_or(0)), "{kept}");
            assert!(seen.facts["fingerprint"].len() == 32);
        }
    }
}

#[test]
fn a_wrong_checksum_and_a_place_of_tests_lower_confidence() {
    let secrets = secrets();
    let confidence = |path: &str, text: &str| {
        let seen = secrets.search(path, text.as_bytes()).observations;
        seen.first().map(|seen| seen.facts["confidence"].clone())
    };
    let wrong = token().replace("pINUx", "pINUy");
    assert_eq!(confidence("deploy.sh", &token()).as_deref(), Some("high"));
    assert_eq!(confidence("deploy.sh", &wrong).as_deref(), Some("low"));
    assert_eq!(confidence("tests/deploy.sh", &token()).as_deref(), Some("medium"));
    assert_eq!(confidence("a.sh", &format!("x{}", token())), None);
    assert_eq!(confidence("a.json", &format!("{{\"text\": \"a\\n{}\"}}", token())).as_deref(), Some("high"));
}

#[test]
fn fingerprints_tell_same_from_other_and_depend_on_the_key() {
    let fingerprints = |secrets: &Secrets, text: &str| -> Vec<String> {
        let seen = secrets.search("a.sh", text.as_bytes()).observations;
        seen.iter().map(|seen| seen.facts["fingerprint"].clone()).collect()
    };
    let secrets = secrets();
    let other = Secrets::new(Arc::clone(&secrets.rules), FingerprintKey::new([8; 32]));
    let twice = format!("A={}\nexport B='{}'\n", token(), token());
    let same = fingerprints(&secrets, &twice);
    assert_eq!(same.len(), 2);
    assert_eq!(same[0], same[1]);
    assert_ne!(same[0], fingerprints(&other, &twice)[0]);
    assert_ne!(Analyser::version(&secrets), Analyser::version(&other));
}

#[test]
fn what_an_image_is_configured_with_is_searched_and_redacted() {
    use yagura_model::image::{Image, Layer};
    let secrets = secrets();
    let digest = yagura_model::Digest::from_bytes(yagura_model::digest::Algorithm::Sha256, &[1; 32]).unwrap();
    let mut image = Image::default();
    image.config.env =
        vec!["PATH=/bin".into(), format!("TOKEN={}", token()), "DB_PASSWORD=k3Q9!zT7xW".into()];
    image.labels.insert("org.example.key".into(), token());
    image.layers.push(Layer {
        diff_id: digest.clone(),
        blob_digest: None,
        size: 1,
        created_by: format!("RUN |1 NPM={} /bin/sh -c npm ci # buildkit", token()),
        from_base_image: None,
    });
    let seen = secrets.search_image(&mut image);
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(seen[3].location.layer, Some(digest));
    let text = serde_json::to_string(&image).unwrap();
    assert!(!text.contains(&token()) && !text.contains("k3Q9!zT7xW"), "{text}");
    assert!(text.contains("npm ci # buildkit") && text.contains("PATH=/bin"), "{text}");
}

#[test]
fn a_baseline_takes_out_what_it_knows_and_nothing_else() {
    use yagura_model::report::{Target, TargetKind};
    let secrets = secrets();
    let key = FingerprintKey::new([7; 32]);
    let judged = |path: &str, text: &str| {
        let inventory = yagura_model::Inventory {
            observations: secrets.search(path, text.as_bytes()).observations,
            ..Default::default()
        };
        let mut target = Target { name: "t".into(), kind: TargetKind::Directory, image: None, inventory };
        let judged = judge(&mut target, secrets.rules());
        assert!(target.inventory.observations.is_empty());
        judged.findings
    };
    let known = judged("a.sh", &format!("T={}", token()));
    assert_eq!(known.len(), 1);
    let baseline = Baseline::of(key, &known);
    let read = Baseline::read(baseline.to_json().as_bytes()).unwrap();
    assert_eq!(read, baseline);
    assert!(!baseline.to_json().contains(&token()));

    let mut findings = judged("a.sh", &format!("# moved down\n\nT={}\nDB_PASSWORD=k3Q9!zT7xW\n", token()));
    findings.extend(judged("b.sh", &format!("T={}", token())));
    let mut suppressed = Vec::new();
    read.apply(&mut findings, &mut suppressed, "base.json");
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0].by, "baseline");
    assert_eq!(findings.len(), 2, "a new secret, and a known one at a new place");
    for wrong in [&b"{}"[..], b"", br#"{"form":"x","key":"","secrets":[]}"#] {
        assert!(Baseline::read(wrong).is_err());
    }
}

#[test]
fn packages_anybody_can_download_hold_no_secrets() {
    use yagura_model::report::{Target, TargetKind};
    let secrets = secrets();
    let mut observations = Vec::new();
    for path in ["usr/share/doc/a/key.pem.txt", "etc/app.conf"] {
        for mut seen in secrets.search(path, token().as_bytes()).observations {
            seen.owner = Some("a".into());
            observations.push(seen);
        }
    }
    let inventory = yagura_model::Inventory { observations, ..Default::default() };
    let mut target = Target { name: "t".into(), kind: TargetKind::Host, image: None, inventory };
    let judged = judge(&mut target, secrets.rules());
    let paths: Vec<_> = judged.findings.iter().map(|finding| finding.location.path.as_str()).collect();
    assert_eq!(paths, ["etc/app.conf"]);
    assert_eq!(judged.suppressed.len(), 1);
}

#[test]
fn rules_with_mistakes_are_refused_with_their_line() {
    for (text, expected) in [
        ("rules:\n  - id: A\n    keyword: [abc]\n", "line 3"),
        ("rules:\n  - id: A\n    title: a\n", "keywords"),
        ("rules: [", "line"),
    ] {
        let error = RuleSet::of([("a.yaml", text)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
