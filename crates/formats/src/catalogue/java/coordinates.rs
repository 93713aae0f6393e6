//! Which Maven coordinates an archive has that brings no Maven metadata: from its manifest and its file name.

use super::file_name::FileName;
use super::manifest::Manifest;

/// What is known of an archive's identity; the version may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
}

/// Groups of artifacts whose builds leave no trace of them, by the artifact's name or its beginning (before `*`);
/// more particular rows first.
const KNOWN_GROUPS: &[(&str, &str)] = &[
    ("spring-boot*", "org.springframework.boot"),
    ("spring-security*", "org.springframework.security"),
    ("spring-session*", "org.springframework.session"),
    ("spring-kafka*", "org.springframework.kafka"),
    ("spring-integration*", "org.springframework.integration"),
    ("spring-batch*", "org.springframework.batch"),
    ("spring-amqp", "org.springframework.amqp"),
    ("spring-rabbit", "org.springframework.amqp"),
    ("spring-ws*", "org.springframework.ws"),
    ("spring-aop", "org.springframework"),
    ("spring-aspects", "org.springframework"),
    ("spring-beans", "org.springframework"),
    ("spring-context*", "org.springframework"),
    ("spring-core", "org.springframework"),
    ("spring-expression", "org.springframework"),
    ("spring-instrument", "org.springframework"),
    ("spring-jcl", "org.springframework"),
    ("spring-jdbc", "org.springframework"),
    ("spring-jms", "org.springframework"),
    ("spring-messaging", "org.springframework"),
    ("spring-orm", "org.springframework"),
    ("spring-oxm", "org.springframework"),
    ("spring-test", "org.springframework"),
    ("spring-tx", "org.springframework"),
    ("spring-web*", "org.springframework"),
    ("tomcat-embed-*", "org.apache.tomcat.embed"),
    ("tomcat-*", "org.apache.tomcat"),
    ("kotlin-*", "org.jetbrains.kotlin"),
    ("kotlinx-coroutines-*", "org.jetbrains.kotlinx"),
    ("grpc-*", "io.grpc"),
    ("opentelemetry-*", "io.opentelemetry"),
    ("micrometer-*", "io.micrometer"),
    ("lucene-*", "org.apache.lucene"),
    ("elasticsearch*", "org.elasticsearch"),
    ("opensearch*", "org.opensearch"),
    ("solr-*", "org.apache.solr"),
    ("kafka-*", "org.apache.kafka"),
    ("kafka_*", "org.apache.kafka"),
    ("connect-*", "org.apache.kafka"),
    ("akka-*", "com.typesafe.akka"),
    ("bcprov-*", "org.bouncycastle"),
    ("bcpkix-*", "org.bouncycastle"),
    ("bcutil-*", "org.bouncycastle"),
    ("bcpg-*", "org.bouncycastle"),
    ("bctls-*", "org.bouncycastle"),
    ("okhttp", "com.squareup.okhttp3"),
    ("okio*", "com.squareup.okio"),
    ("retrofit", "com.squareup.retrofit2"),
    ("mysql-connector-java", "mysql"),
    ("mysql-connector-j", "com.mysql"),
    ("postgresql", "org.postgresql"),
    ("mariadb-java-client", "org.mariadb.jdbc"),
    ("ojdbc*", "com.oracle.database.jdbc"),
    ("h2", "com.h2database"),
    ("hsqldb", "org.hsqldb"),
    ("derby*", "org.apache.derby"),
    ("groovy-*", "org.codehaus.groovy"),
    ("aspectjweaver", "org.aspectj"),
    ("aspectjrt", "org.aspectj"),
    ("xercesImpl", "xerces"),
    ("xalan", "xalan"),
    ("ant", "org.apache.ant"),
    ("jna*", "net.java.dev.jna"),
    ("lombok", "org.projectlombok"),
    ("gson", "com.google.code.gson"),
    ("guice", "com.google.inject"),
    ("guice-*", "com.google.inject.extensions"),
    ("hamcrest*", "org.hamcrest"),
    ("mockito-*", "org.mockito"),
    ("graphql-java", "com.graphql-java"),
    ("jackson-module-*", "com.fasterxml.jackson.module"),
    ("jackson-datatype-*", "com.fasterxml.jackson.datatype"),
    ("jackson-dataformat-*", "com.fasterxml.jackson.dataformat"),
    ("py4j", "net.sf.py4j"),
    ("scala-compiler", "org.scala-lang"),
    ("scala-library", "org.scala-lang"),
    ("scala-reflect", "org.scala-lang"),
    ("jruby-*", "org.jruby"),
    ("gradle-wrapper", "org.gradle"),
];

/// Beginnings that many publishers' groups share.
const SHARED_GROUPS: &[&str] =
    &["org.apache", "com.google", "org.eclipse", "com.github", "net.java", "com.sun"];

/// Works out the coordinates; `None` when nothing but a bare name is known.
pub(super) fn of_archive(manifest: Option<&Manifest>, file: &FileName) -> Option<Coordinates> {
    let none = Manifest::default();
    let attributes = manifest.unwrap_or(&none);
    // Instrumentation for another library that bears its name (New Relic's agent).
    if attributes.get("Weave-Classes").is_some() || (manifest.is_none() && file.version.is_empty()) {
        return None;
    }
    // Gradle's nebula plugin: `Implementation-Title: group#artifact;version`.
    if let Some((group, rest)) =
        attributes.get("Implementation-Title").and_then(|title| title.split_once('#'))
        && let Some((artifact, version)) = rest.split_once(';')
    {
        return Some(Coordinates { group: group.into(), artifact: artifact.into(), version: version.into() });
    }
    let symbolic = attributes.get("Bundle-SymbolicName").map(without_directives);
    let artifact = artifact(attributes, file, symbolic)?;
    let version = if file.version.is_empty() { manifest_version(attributes) } else { file.version.clone() };
    let group = group(attributes, &artifact, symbolic);
    Some(Coordinates { group, artifact, version })
}

fn artifact(attributes: &Manifest, file: &FileName, symbolic: Option<&str>) -> Option<String> {
    // Jenkins plugins are filed under their short name.
    if let Some(name) = attributes.get("Short-Name").filter(|_| attributes.get("Plugin-Version").is_some()) {
        return Some(name.to_owned());
    }
    // `catalina.jar` with the symbolic name `org.apache.tomcat-catalina`: the longer word is the artifact.
    if let Some(last) = symbolic.and_then(|name| name.rsplit('.').next())
        && last.strip_suffix(file.name.as_str()).is_some_and(|before| before.ends_with('-'))
    {
        return Some(last.to_owned());
    }
    // A file named `group.artifact`, as Eclipse and some builds do: the whole is the artifact only for bundles.
    let named = Some(file.name.as_str()).filter(|name| !name.is_empty());
    let titled = ["Bundle-Name", "Implementation-Title"].into_iter().find_map(|name| attributes.get(name));
    named.or(symbolic).or(titled).map(str::to_owned)
}

fn manifest_version(attributes: &Manifest) -> String {
    ["Plugin-Version", "Implementation-Version", "Bundle-Version", "Specification-Version"]
        .into_iter()
        .find_map(|name| attributes.anywhere(name))
        // `1.2.3 (private build)`: the number is the version.
        .and_then(|value| value.split_whitespace().next())
        .unwrap_or_default()
        .to_owned()
}

fn group(attributes: &Manifest, artifact: &str, symbolic: Option<&str>) -> String {
    if let Some(group) = attributes.get("Group-Id").or_else(|| known_group(artifact)) {
        return group.to_owned();
    }
    let module = attributes.get("Automatic-Module-Name");
    let names = || [symbolic, module].into_iter().flatten();
    let vendor = attributes.get("Implementation-Vendor-Id").filter(|vendor| looks_like_group(vendor));
    names()
        .find_map(|name| group_within(name, artifact))
        .or_else(|| vendor.map(str::to_owned))
        .or_else(|| {
            let extension = attributes.get("Extension-Name");
            names().chain(extension).find(|name| looks_like_group(name)).map(str::to_owned)
        })
        // Old artifacts have a group of the same name (`junit:junit`), and nothing else is known.
        .unwrap_or_else(|| artifact.to_owned())
}

fn known_group(artifact: &str) -> Option<&'static str> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => artifact.starts_with(beginning),
        None => artifact == pattern,
    };
    KNOWN_GROUPS.iter().find(|(pattern, _)| fits(pattern)).map(|(_, group)| *group)
}

/// The group in a bundle's symbolic name, by the ways of the bnd tool: `group.artifact`, or with the part of the
/// artifact left out that repeats the group's last word (`org.apache.maven:maven-core` is `org.apache.maven.core`).
fn group_within(symbolic: &str, artifact: &str) -> Option<String> {
    if let Some(group) = symbolic.strip_suffix(artifact).and_then(|rest| rest.strip_suffix('.')) {
        // `org.objenesis` and `org.apache.velocity` are groups themselves: what stands before is nobody's group.
        let whole = !group.contains('.') || SHARED_GROUPS.contains(&group);
        return Some(if whole { symbolic } else { group }.to_owned()).filter(|_| !group.is_empty());
    }
    let words: Vec<&str> = symbolic.split('.').collect();
    for from in (1..words.len().saturating_sub(1)).rev() {
        if words.get(from..).is_some_and(|tail| tail.join("-") == artifact) {
            return words.get(..=from).map(|group| group.join("."));
        }
    }
    // `org.hibernate.orm.core` for `hibernate-core`: up to the word that begins the artifact.
    let first = artifact.split(['-', '_']).next().filter(|first| first.len() > 2)?;
    let at = words.iter().skip(1).position(|word| *word == first)? + 1;
    words.get(..=at).map(|group| group.join("."))
}

fn looks_like_group(text: &str) -> bool {
    text.contains('.')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// `org.bar;uses:="…"` without what follows the name.
fn without_directives(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coordinates(file: &str, manifest: &str) -> Option<String> {
        let manifest = Manifest::parse(manifest.as_bytes());
        of_archive(Some(&manifest), &FileName::parse(file))
            .map(|c| format!("{}:{}:{}", c.group, c.artifact, c.version))
    }

    #[test]
    fn works_out_coordinates() {
        for (file, manifest, expected) in [
            (
                "spring-core-5.3.20.jar",
                "Implementation-Title: spring-core\nImplementation-Version: 5.3.20\nAutomatic-Module-Name: spring.core\n",
                "org.springframework:spring-core:5.3.20",
            ),
            (
                "micrometer-core.jar",
                "Implementation-Title: io.micrometer#micrometer-core;1.9.0\nImplementation-Version: 1.9.0\n",
                "io.micrometer:micrometer-core:1.9.0",
            ),
            (
                "catalina.jar",
                "Bundle-SymbolicName: org.apache.tomcat-catalina\nImplementation-Version: 9.0.65\nSpecification-Version: 9.0\n",
                "org.apache.tomcat:tomcat-catalina:9.0.65",
            ),
            (
                "jackson-core-2.14.0.jar",
                "Bundle-SymbolicName: com.fasterxml.jackson.core.jackson-core\nImplementation-Vendor-Id: com.fasterxml.jackson.core\n",
                "com.fasterxml.jackson.core:jackson-core:2.14.0",
            ),
            (
                "slf4j-api-1.7.36.jar",
                "Bundle-SymbolicName: slf4j.api\nAutomatic-Module-Name: org.slf4j.api\n",
                "org.slf4j:slf4j-api:1.7.36",
            ),
            (
                "postgresql-42.5.0.jar",
                "Bundle-SymbolicName: org.postgresql.jdbc\n",
                "org.postgresql:postgresql:42.5.0",
            ),
            (
                "hibernate-core-5.6.1.jar",
                "Bundle-SymbolicName: org.hibernate.orm.core\n",
                "org.hibernate:hibernate-core:5.6.1",
            ),
            (
                "git.hpi",
                "Group-Id: org.jenkins-ci.plugins\nShort-Name: git\nPlugin-Version: 4.11.3 (private-0a1b2c)\n",
                "org.jenkins-ci.plugins:git:4.11.3",
            ),
            ("junit-3.8.1.jar", "Manifest-Version: 1.0\n", "junit:junit:3.8.1"),
            ("objenesis-3.2.jar", "Bundle-SymbolicName: org.objenesis\n", "org.objenesis:objenesis:3.2"),
            (
                "velocity-1.5.jar",
                "Bundle-SymbolicName: org.apache.velocity\n",
                "org.apache.velocity:velocity:1.5",
            ),
            ("gson-2.2.4.jar", "Bundle-SymbolicName: com.google.gson\n", "com.google.code.gson:gson:2.2.4"),
            ("app.jar", "Implementation-Title: demo\nImplementation-Version: 1.0.0\n", "app:app:1.0.0"),
        ] {
            assert_eq!(coordinates(file, manifest).as_deref(), Some(expected), "{file}");
        }
        assert_eq!(coordinates("spring-4.0.jar", "Weave-Classes: a.B\n"), None);
        assert_eq!(of_archive(None, &FileName::parse("resources.jar")), None);
        assert!(of_archive(None, &FileName::parse("log4j-1.2.17.jar")).is_some());
    }
}
