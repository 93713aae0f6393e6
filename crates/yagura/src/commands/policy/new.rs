//! `yagura policy new`: a rule to start from. It passes its own examples.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::{Context, Result, bail};

use super::Outcome;
use crate::arguments::policies::PolicyNew;
use crate::output;

pub fn run(arguments: &PolicyNew) -> Result<Outcome> {
    let id = &arguments.id;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        bail!("`{id}` is no id for a rule: use letters, digits and `-`, such as ACME-001");
    }
    let path = arguments.directory.join(format!("{id}.yaml"));
    std::fs::create_dir_all(&arguments.directory)
        .with_context(|| arguments.directory.display().to_string())?;
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(skeleton(id).as_bytes()).with_context(|| path.display().to_string())?;
    output::print(&format!("{}\n", path.display()))?;
    Ok(Outcome::Fine)
}

fn skeleton(id: &str) -> String {
    format!(
        "\
id: {id}
title: Container may write to its own image
severity: medium
applies: kubernetes/container
# CEL over the container as it is written; true when it is wrong.
when: '!self.?securityContext.?readOnlyRootFilesystem.orValue(false)'
why: Whoever gets in can replace programs and leave others behind.
fix:
  text: Set `securityContext.readOnlyRootFilesystem` to true and mount a volume where the program must write.
  review: true
  patch:
    kubernetes:
      - {{set: securityContext.readOnlyRootFilesystem, value: true}}
controls: {{}}
examples:
  bad:
    - kubernetes: |
        apiVersion: v1
        kind: Pod
        metadata: {{name: web}}
        spec:
          containers:
          - {{name: web, image: example.org/web:1}}
  good:
    - kubernetes: |
        apiVersion: v1
        kind: Pod
        metadata: {{name: web}}
        spec:
          containers:
          - {{name: web, image: example.org/web:1, securityContext: {{readOnlyRootFilesystem: true}}}}
"
    )
}
