//! A container of runc over an overlay, as engines make them, with a network of its own and programs under many names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bed::{run, text};

/// What a privileged container may do, as far as attacks need it.
pub const MANY: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_ADMIN",
    "CAP_SYS_MODULE",
    "CAP_SYS_PTRACE",
];
/// What an ordinary one may.
pub const FEW: &[&str] =
    &["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"];

/// Names that `true` goes by in /attack/bin.
const INERT: [&str; 11] =
    ["curl", "kubectl", "nc", "nmap", "pkexec", "scp", "sudo", "userdel", "wget", "xmrig", "debugfs"];
/// Names that `bash` goes by: servers that start what they are told to.
const SHELLS: [&str; 6] = ["httpd", "mysqld", "nginx", "npm", "ssh", "sshd"];
/// Addresses of the containers' loopback device: those of a metadata service, and of a host elsewhere.
const ADDRESSES: [&str; 2] = ["169.254.169.254/32", "203.0.113.10/32"];
/// Waits for connections at ports 80 and 4444 and greets whoever comes as a Java class does.
const SERVER: &str = r#"for my $port (80, 4444) {
  socket(my $server, 2, 1, 0) or die; setsockopt($server, 1, 2, 1);
  bind($server, pack("S n C4 x8", 2, $port, 203, 0, 113, 10)) or die $!; listen($server, 16) or die;
  next if fork;
  while (accept(my $client, $server)) { syswrite $client, "\xca\xfe\xba\xbe\0\0\0\x34"; close $client }
  exit }
open(my $ready, ">", "/run/ready");
"#;
/// Digits of an id that events show.
const SHORT: usize = 12;

pub struct Container {
    id: String,
    directory: PathBuf,
}

impl Container {
    pub fn start(directory: &Path, root: &Path, capabilities: &[&str]) -> Self {
        let container = Self { id: unique(directory), directory: directory.to_owned() };
        let part = |name: &str| {
            let path = directory.join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let (programs, merged) = (part("image/attack/bin"), part("merged"));
        for (program, names) in [("true", &INERT[..]), ("bash", &SHELLS), ("perl", &["java"])] {
            for name in names {
                fs::copy(root.join("usr/bin").join(program), programs.join(name)).unwrap();
            }
        }
        fs::create_dir_all(directory.join("image/srv")).unwrap();
        fs::write(directory.join("image/srv/kept"), "x").unwrap();
        fs::write(directory.join("image/attack/server"), SERVER).unwrap();
        let layers = format!(
            "lowerdir={}:{},upperdir={},workdir={}",
            directory.join("image").display(),
            root.display(),
            part("upper").display(),
            part("work").display()
        );
        run("mount", &["-t", "overlay", "overlay", "-o", &layers, text(&merged)]);

        run("runc", &["spec", "--bundle", text(directory)]);
        let path = directory.join("config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config["root"] = json!({"path": "merged", "readonly": false});
        config["process"]["terminal"] = json!(false);
        config["process"]["noNewPrivileges"] = json!(false);
        config["process"]["args"] = json!(["sleep", "300"]);
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = json!(capabilities);
        }
        for mount in config["mounts"].as_array_mut().unwrap() {
            if mount["destination"] == "/dev/shm" {
                mount["options"].as_array_mut().unwrap().retain(|option| option != "noexec");
            }
        }
        fs::write(&path, config.to_string()).unwrap();
        // Whoever keeps our pipes open would be waited for.
        let started = Command::new("runc")
            .args(["run", "--detach", "--bundle", text(directory), &container.id])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(started.success(), "runc starts no container");
        let state: Value = serde_json::from_slice(&run("runc", &["state", &container.id]).stdout).unwrap();
        let process = state["pid"].to_string();
        for address in ADDRESSES {
            run("nsenter", &["-t", &process, "-n", "ip", "address", "add", address, "dev", "lo"]);
        }
        container
    }

    /// The id as events show it.
    pub fn short(&self) -> &str {
        &self.id[..SHORT]
    }

    /// Where a script on the host finds `bin` of /attack.
    pub fn programs(&self) -> PathBuf {
        self.directory.join("image/attack")
    }

    /// Runs each script in a shell of its own, after a server was started.
    pub fn shell<'a>(&self, scripts: impl Iterator<Item = &'a str>) {
        let mut all = String::from(
            // What holds our files open would be waited for.
            "perl /attack/server < /dev/null > /dev/null 2>&1 &\nwhile [ ! -e /run/ready ]; do sleep 0.1; done\n",
        );
        for (number, script) in scripts.enumerate() {
            let name = format!("script-{number}");
            fs::write(self.directory.join("merged/srv").join(&name), format!("{script}\n")).unwrap();
            all.push_str(&format!("sh /srv/{name}\n"));
        }
        self.enter(&all);
    }

    /// A shell that the runtime itself starts.
    pub fn enter(&self, script: &str) {
        let log = fs::File::create(self.directory.join("log")).unwrap();
        Command::new("timeout")
            .args(["60", "runc", "exec", &self.id, "sh", "-c", script])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
    }

    /// The same, with a terminal.
    pub fn terminal(&self, script: &str) {
        let command = format!("runc exec -t {} sh -c '{script}'", self.id);
        let done = Command::new("timeout")
            .args(["20", "script", "-qec", &command, "/dev/null"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "{command}: {done}");
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("runc").args(["delete", "--force", &self.id]).status();
        let _ = Command::new("umount").arg("--lazy").arg(self.directory.join("merged")).status();
    }
}

/// An id of 64 digits, as engines give, that no other run has.
fn unique(directory: &Path) -> String {
    let process = u64::from(std::process::id());
    let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    let place = directory
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let mix = (time ^ place ^ (process << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mix:016x}{place:016x}{time:016x}{process:016x}")
}
