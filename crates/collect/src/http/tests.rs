use super::*;

#[test]
fn locations_are_resolved_against_where_they_came_from() {
    let base = parse_url("https://registry.example:5000/v2/a/blobs/x?y=1").unwrap();
    for (location, expected) in [
        ("https://cdn.example/b", "https://cdn.example/b"),
        ("//cdn.example/b", "https://cdn.example/b"),
        ("/v2/b", "https://registry.example:5000/v2/b"),
        ("c", "https://registry.example:5000/v2/a/blobs/c"),
    ] {
        assert_eq!(resolve(&base, location).unwrap().to_string(), expected);
    }
    assert!(resolve(&base, "file:///etc/passwd").is_err());
}

#[test]
fn addresses_with_credentials_are_refused_and_never_shown() {
    let error = parse_url("https://user:secret@registry.example/v2/").unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidReference);
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn only_the_loopback_may_be_spoken_to_in_plain() {
    for (host, expected) in [
        ("localhost", true),
        ("a.localhost", true),
        ("127.8.9.1", true),
        ("[::1]", true),
        ("localhost.example", false),
        ("10.0.0.1", false),
        ("127.0.0.1.example", false),
    ] {
        assert_eq!(is_loopback(host), expected, "{host}");
    }
    let client = HttpClient::new(HttpSettings::default());
    let error = client.send(&Request::get("http://registry.example/v2/")).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
}
