use yagura_formats::document::Node;

use crate::{Parsed, SourceFile};

fn read(files: &[(&str, &str)]) -> (Vec<(String, Node<'static>)>, Vec<String>) {
    let files: Vec<_> = files.iter().map(|(path, text)| SourceFile { path, text }).collect();
    let mut parsed = Parsed::default();
    (super::SOURCE.parse)(&files, &mut parsed);
    let resources = parsed.resources.into_iter().map(|resource| (resource.name, resource.node.into_owned()));
    (resources.collect(), parsed.problems.into_iter().map(|problem| problem.detail).collect())
}

#[test]
fn compose_files_are_known_by_name_or_content() {
    let recognises = super::recognises;
    assert!(recognises("docker-compose.prod.yml", "version: '3'\nservices:\n  a: {}\n"));
    assert!(recognises("stack.yaml", "services:\n  a:\n    image: x\n"));
    assert!(!recognises("a.yaml", "apiVersion: v1\nkind: Service\nservices:\n  image: x\n"));
    assert!(!recognises("a.yaml", "other:\n  services:\n    image: x\n"));
}

#[test]
fn notations_become_one() {
    let text = "\
x-base: &base
  restart: always
  environment: [A=1, B]
services:
  web:
    <<: *base
    image: registry.example:5000/web:${TAG:-1.2}
    user: ${WHO}
    privileged: '${P:-true}'
    ports: [80, '8080:80', '127.0.0.1:5432:5432/udp', {target: 53, published: 53}]
    volumes: ['./a:/b:ro', 'data:/c', '/d', {type: bind, source: /var/run/docker.sock, target: /s}]
    networks: {front: {aliases: [x]}}
    x-note: no
";
    let (services, problems) = read(&[("compose.yaml", text)]);
    assert_eq!(problems, Vec::<String>::new());
    let web = &services[0].1;
    assert_eq!(web.at(&["image_reference", "tag"]).unwrap().string(), Some("1.2"));
    assert!(web.get("user").unwrap().is_unknown() && web.flag("privileged") && web.get("x-note").is_none());
    assert!(web.at(&["environment", "B"]).unwrap().is_unknown());
    let ports: Vec<_> = web
        .get("ports")
        .unwrap()
        .items()
        .iter()
        .map(|port| {
            ["host_ip", "published", "target"]
                .map(|key| port.text_of(key).unwrap_or("-").to_owned())
                .join(" ")
        })
        .collect();
    assert_eq!(ports, ["- - 80", "- 8080 80", "127.0.0.1 5432 5432", "- 53 53"]);
    let types: Vec<_> =
        web.get("volumes").unwrap().items().iter().map(|v| v.text_of("type").unwrap()).collect();
    assert_eq!(types, ["bind", "volume", "volume", "bind"]);
    assert_eq!(web.get("networks").unwrap().items()[0].string(), Some("front"));
    // The anchor's own line is the place.
    assert_eq!(web.get("restart").unwrap().span.line, 2);
}

#[test]
fn extends_is_followed_across_files() {
    let base = "services:\n  base:\n    cap_add: [NET_ADMIN]\n    command: [a]\n    labels: {x: '1'}\n";
    let main = "services:\n  a:\n    extends: {file: ../base.yml, service: base}\n    cap_add: [SYS_TIME]\n    command: [b]\n    labels: {y: '2'}\n  b: {extends: a, image: i}\n  c: {extends: c}\n  d: {extends: {file: gone.yml, service: z}}\n";
    let (services, problems) = read(&[("base.yml", base), ("sub/compose.yml", main)]);
    assert_eq!(problems.len(), 1);
    let b = &services.iter().find(|(name, _)| name == "b").unwrap().1;
    let capabilities = b.get("cap_add").unwrap().items();
    assert_eq!(capabilities.iter().map(|c| c.span.source).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(b.get("command").unwrap().items().len(), 1);
    assert_eq!(b.get("labels").unwrap().entries().len(), 2);
    let d = &services.iter().find(|(name, _)| name == "d").unwrap().1;
    assert!(d.get("extends").unwrap().is_unknown());
}
