//! The programs that are known by their own version strings: data, a row each.
//!
//! A row is written from what the program's own builds hold; a pattern names enough of what stands around the version
//! that nothing else in the file fits. Order matters: a file is one program, the first row that fits.

use yagura_model::Ecosystem;

/// A program and how its files tell its version.
pub(super) struct Program {
    /// Patterns of file names: `*` stands for any characters, `#` for one digit.
    pub(super) files: &'static [&'static str],
    /// Regular expressions over bytes; the first group is the version. The first that matches decides.
    pub(super) versions: &'static [&'static str],
    /// Bytes that have to be in the file too.
    pub(super) needs: Option<&'static str>,
    /// The version starts with the number in the file's name (`python3.11`).
    pub(super) named: bool,
    pub(super) ecosystem: Ecosystem,
    pub(super) package: &'static str,
}

const fn program(
    package: &'static str,
    files: &'static [&'static str],
    versions: &'static [&'static str],
) -> Program {
    Program { files, versions, needs: None, named: false, ecosystem: Ecosystem::Generic, package }
}

const fn needing(needs: &'static str, program: Program) -> Program {
    Program { needs: Some(needs), ..program }
}

/// Executables and shared libraries.
#[rustfmt::skip]
pub(super) const EXECUTABLES: &[Program] = &[
    // Languages and their runtimes.
    Program {
        named: true,
        ..program("python", &["python", "python#*", "libpython#*.so*"], &[r"\x00([0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?\+?)\x00"])
    },
    program("pypy", &["pypy*", "libpypy*.so*"], &[r"\[PyPy ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("node", &["node", "nodejs", "libnode.so*"], &[
        r"node\.js/v([0-9]+\.[0-9]+\.[0-9]+)",
        r"/release/v([0-9]+\.[0-9]+\.[0-9]+)/node-v",
        r"\x00(?:node )?v([0-9]+\.[0-9]+\.[0-9]+)\x00",
    ]),
    program("deno", &["deno"], &[r"Deno/([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("bun", &["bun"], &[r"[Bb]un v([0-9]+\.[0-9]+\.[0-9]+)", r"bun-v?([0-9]+\.[0-9]+\.[0-9]+)", r"[Bb]un ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("ruby", &["ruby", "ruby#*", "libruby*.so*"], &[r"ruby ([0-9]+\.[0-9]+\.[0-9]+(?:(?:p|preview|rc|dev)[0-9]*)?) \([0-9]{4}-"]),
    program("perl", &["perl", "perl5*", "libperl.so*"], &[r"\x00v(5\.[0-9]+\.[0-9]+)\x00", r"/perl5?/(5\.[0-9]+\.[0-9]+)\x00"]),
    program("php-fpm", &["php-fpm*"], &[PHP]),
    program("php", &["libphp*.so"], &[PHP]),
    program("php-cli", &["php", "php#*", "php-cgi*", "phpdbg*"], &[PHP]),
    program("lua", &["lua", "lua#*", "luac*", "liblua*.so*"], &[r"Lua ([0-9]+\.[0-9]+\.[0-9]+)  Copyright"]),
    program("luajit", &["luajit*", "libluajit*.so*"], &[r"LuaJIT ([0-9]+\.[0-9]+\.[0-9]+(?:-beta[0-9]+)?)"]),
    program("erlang", &["beam.smp", "beam", "erlexec"], &[
        r"/otp_src_([0-9]+(?:\.[0-9]+){1,4}(?:-rc[0-9]+)?)/",
        r"/otp-([0-9]+(?:\.[0-9]+){1,4})/erts/",
        r"Erlang/OTP [0-9]+%s \[[^\x00]{1,300}\x00+([0-9]+(?:\.[0-9]+){1,4}(?:-rc[0-9]+)?)\x00",
        r"\x00([0-9]+(?:\.[0-9]+){1,4}(?:-rc[0-9]+)?)\x00+Erlang/OTP",
    ]),
    program("julia", &["libjulia-internal.so*", "libjulia.so*"], &[
        r"\x00([0-9]+\.[0-9]+\.[0-9]+(?:-(?:alpha|beta|rc)[0-9]+)?)\x00(?:branch|julia version|verify_methods|BigInt|_require_dependencies|jl_sysimg_cpu_target)",
        r"\x00__init__\x00([0-9]+\.[0-9]+\.[0-9]+(?:-(?:alpha|beta|rc)[0-9]+)?)\x00",
    ]),
    program("rust", &["libstd-????????????????.so", "librustc_driver-*.so"], &[
        r"rustc version ([0-9]+\.[0-9]+\.[0-9]+(?:-(?:beta|nightly)[.0-9]*)?)",
        r"/rustc-([0-9]+\.[0-9]+\.[0-9]+)(?:-src)?/(?:library|compiler)/",
        r"([0-9]+\.[0-9]+\.[0-9]+(?:-(?:beta|nightly)[.0-9]*)?) \([0-9a-f]{9} 20[0-9]{2}-[0-9]{2}-[0-9]{2}\)",
    ]),
    program("dart", &["dart", "dartvm"], &[r"\x00([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9.]+\.(?:beta|dev))?) \((?:stable|beta|dev)\)"]),
    program("swipl", &["swipl", "libswipl.so*"], &[r"swipl-([0-9]+\.[0-9]+\.[0-9]+)/", r"/swi-prolog[-_/]([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("haskell/ghc", &["ghc", "ghc-#*"], &[
        r"\x00GHC ([0-9]+\.[0-9]+\.[0-9]+)\x00",
        r"libHSghc-([0-9]+\.[0-9]+\.[0-9]+)-",
        r"/ghc-([0-9]+\.[0-9]+\.[0-9]+)",
    ]),
    program("haskell/cabal", &["cabal"], &[r"cabal-install-([0-9]+\.[0-9]+\.[0-9]+(?:\.[0-9]+)?)", r"\x00Cabal-([0-9]+\.[0-9]+\.[0-9]+(?:\.[0-9]+)?)-"]),
    program("haskell/stack", &["stack"], &[r"stack-([0-9]+\.[0-9]+\.[0-9]+)-", r"Version ([0-9]+\.[0-9]+\.[0-9]+), Git"]),
    program("oracle/graalvm", &["java"], &[r"\x00([0-9][.0-9]*\+[0-9]+-jvmci-[.0-9]+-b[0-9]+)\x00"]),
    program("oracle/openjdk", &["java"], &[
        r"\x00openjdk\x00java\x00+[0-9.]+\x00+([0-9]+[^\x00]{1,60})\x00",
        r"\x00[0-9.]+\x00+([0-9]+[^\x00]{1,60})\x00+openjdk\x00java\x00",
        r"\x00java\x00+[0-9.]+\x00+([0-9]+[^\x00]{1,60})\x00+openjdk\x00",
    ]),
    program("gcc", &["gcc", "gcc-#", "gcc-##", "gcc-#.#", "*-gcc", "*-gcc-#", "*-gcc-##"], &[
        r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00(?:\([^\x00]{1,80}\) ?\x00)?gcc version ",
        r"GCC: \(GNU\) ([0-9]+\.[0-9]+\.[0-9]+)",
    ]),

    // Servers.
    program("nginx", &["nginx", "nginx-debug", "openresty"], &[r"nginx version: [^\x00/]{1,60}/([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("httpd", &["httpd", "apache2"], &[r"Apache/([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("lighttpd", &["lighttpd"], &[r"lighttpd/([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("haproxy", &["haproxy"], &[
        r"version ([0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)[^\x00,]{0,40}, released 20",
        r"HA-?Proxy version ([0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)",
        r"\x00([0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)-[0-9a-zA-Z]{7}[^\x00]{0,20}\x00HAProxy version",
    ]),
    program("squid", &["squid"], &[r"squid/([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    program("varnish", &["varnishd"], &[r"varnish-([0-9]+\.[0-9]+\.[0-9]+) revision"]),
    program("envoy", &["envoy"], &[r"\x00(1\.[0-9]{1,2}\.[0-9]{1,2}(?:-dev)?)\x00.{0,1000}?(?:envoy[_./]|Unable to|ValidationError)"]),
    program("valkey", &["valkey-*"], &[BUILD_STAMPED, r"Valkey version=?\s?([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("redis", &["redis-server", "redis-sentinel", "redis-check-rdb", "redis-check-aof"], &[
        BUILD_STAMPED,
        r"Redis version ([0-9]+\.[0-9]+\.[0-9]+)",
    ]),
    program("memcached", &["memcached"], &[r"memcached ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("postgresql", &["postgres"], &[
        r"[\x00?]PostgreSQL ([0-9]+(?:\.[0-9]+){0,2}(?:(?:alpha|beta|rc)[0-9]+)?)(?: \([^\x00)]{1,100}\))? on ",
        r"[\x00?]PostgreSQL ([0-9]+(?:\.[0-9]+){0,2}(?:(?:alpha|beta|rc)[0-9]+)?)[\x00 ]",
    ]),
    program("mariadb", &["mariadb", "mariadbd", "mysql", "mysqld"], &[
        r"([0-9]+\.[0-9]+\.[0-9]+)-MariaDB",
        r"(?:\x00|/)mariadb-([0-9]+\.[0-9]+\.[0-9]+)-",
    ]),
    program("percona-xtradb-cluster", &["mysql", "mysqld"], &[r"Percona-XtraDB-Cluster-([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("percona-server", &["mysql", "mysqld"], &[r"percona-server-([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("percona-xtrabackup", &["xtrabackup"], &[r"percona-xtrabackup-([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("mysql-cluster", &["mysqld", "ndbd", "ndbmtd", "ndb_mgmd"], &[r"/mysql-cluster-gpl-([0-9]+\.[0-9]+\.[0-9]+)/"]),
    program("mysql-server", &["mysqld"], &[r"/mysql-([0-9]+\.[0-9]+\.[0-9]+(?:-[a-z]+)?)/"]),
    program("mysql", &["mysql"], &[r"/mysql-([0-9]+\.[0-9]+\.[0-9]+(?:-rc)?)", r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00+mysql"]),
    program("arangodb", &["arangosh", "arangod"], &[r"([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9]+)?) (?:enterprise )?\[linux\]"]),
    program("mongodb", &["mongod", "mongos"], &[r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00+(?:tcmalloc|heap_size|cppdefines)"]),
    program("mosquitto", &["mosquitto"], &[r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00mosquitto version"]),
    program("bind", &["named"], &[r"libisc-([0-9]+\.[0-9]+\.[0-9]+)", r"BIND ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("dnsmasq", &["dnsmasq"], &[r"dnsmasq-([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    program("unbound", &["unbound"], &[r"unbound ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("exim", &["exim", "exim4"], &[r"\x00([0-9]+\.[0-9]+(?:\.[0-9]+)?)\x00<<eximversion>>"]),
    program("postfix", &["postconf", "master"], &[r"mail_version=([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("proftpd", &["proftpd"], &[r"ProFTPD Version ([0-9]+\.[0-9]+\.[0-9]+[a-z]?)\x00"]),
    program("vsftpd", &["vsftpd"], &[r"vsFTPd ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("openssh", &["ssh", "sshd", "ssh-keygen"], &[r"OpenSSH_([0-9]+\.[0-9]+p[0-9]+)"]),
    needing("client-to-client", program("openvpn", &["openvpn"], &[r"OpenVPN ([0-9]+\.[0-9]+\.[0-9]+) [a-z0-9_]+-", r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00client-to-client"])),
    program("tor", &["tor"], &[r" \(on Tor ([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)"]),
    program("openldap", &["ldapsearch", "slapd"], &[r"\$OpenLDAP: (?:ldapsearch|slapd) ([0-9]+\.[0-9]+\.[0-9]+)"]),
    Program {
        ecosystem: Ecosystem::Github,
        ..program("fluent/fluent-bit", &["fluent-bit"], &[r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00+(?:\x1b\[1m\x00)?(?:%s)?Fluent"])
    },

    // Libraries.
    program("aws-lc", &["openssl", "bssl", "libcrypto*.so*"], &[r"AWS-LC ([0-9]+\.[0-9]+\.[0-9]+)\)?\x00"]),
    program("libressl", &["openssl", "libcrypto*.so*"], &[r"LibreSSL ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("openssl", &["openssl", "libcrypto*.so*"], &[
        r"OpenSSL ([0-9]+\.[0-9]+\.[0-9]+[a-z]{0,2}(?:-(?:alpha|beta|pre|rc)[0-9]+)?)[-+a-z]{0,12} +[0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2}",
        r"\x00OpenSSL ([0-9]+\.[0-9]+\.[0-9]+[a-z]{0,2}(?:-(?:alpha|beta|pre|rc)[0-9]+)?)[ \x00]",
    ]),
    program("gnutls", &["libgnutls.so*"], &[r"Enabled GnuTLS ([0-9]+\.[0-9]+\.[0-9]+) logging"]),
    program("libgcrypt", &["libgcrypt.so*"], &[r"Libgcrypt ([0-9]+\.[0-9]+\.[0-9]+) "]),
    program("krb5", &["libkrb5.so*"], &[r"KRB5_BRAND: krb5-\S{1,40} ([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    program("heimdal-krb5", &["libkrb5.so*"], &[r"\$Version: Heimdal ([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    program("curl", &["libcurl*.so*"], &[r"libcurl/([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("sqlite", &["libsqlite3.so*", "sqlite3"], &[r"\x00(3\.[0-9]+\.[0-9]+(?:\.[0-9]+)?)\x00"]),
    needing("sqlcipher", program("sqlcipher", &["sqlcipher", "libsqlcipher.so*"], &[r"[^0-9]\x00([0-9]+\.[0-9]+\.[0-9]+)\x00"])),
    program("zlib", &["libz.so*"], &[r"(?:in|de)flate ([0-9]+\.[0-9]+(?:\.[0-9]+){0,2}) Copyright"]),
    program("zstd", &["zstd"], &[r"\x00v([0-9]+\.[0-9]+\.[0-9]+)\x00"]),
    program("zstd", &["libzstd.so*"], &[r"\x00(1\.[0-9]+\.[0-9]+)\x00"]),
    program("xz", &["xz"], &[r"xz \(XZ Utils\) ([0-9]+\.[0-9]+\.[0-9]+(?:alpha|beta)?)"]),
    program("xz", &["liblzma.so*"], &[r"\x00(5\.[0-9]+\.[0-9]+(?:alpha|beta)?)\x00"]),
    program("libpng", &["libpng*.so*"], &[r"libpng version ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("expat", &["libexpat.so*"], &[r"expat_([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("ffmpeg", &["libav*.so*", "libsw*.so*"], &[r"FFmpeg version n?([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    program("qtbase", &["libQt*Core.so*"], &[r"\x00Qt ([0-9]+\.[0-9]+\.[0-9]+) \(", r"QtCore library version ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("glibc", &["libc.so.6", "libc-2*.so"], &[r"GNU C Library [^\x00]{0,80}release version ([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    needing("musl libc", program("musl", &["ld-musl-*.so.1", "libc.musl-*.so.1", "libc.so"], &[r"\x00([01]\.[0-9]+\.[0-9]+)\x00"])),

    // Tools.
    program("busybox", &["busybox*"], &[r"BusyBox v([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("bash", &["bash"], &[r"@\(#\)Bash version ([0-9]+\.[0-9]+\.[0-9]+)\("]),
    program("curl", &["curl"], &[r"curl/([0-9]+\.[0-9]+\.[0-9]+)"]),
    needing("Wget/%s", program("wget", &["wget"], &[r"\x00(1\.[12][0-9](?:\.[0-9]+)?)\x00"])),
    program("git", &["git"], &[r"\x00git/([0-9]+\.[0-9]+\.[0-9]+)\x00"]),
    program("jq", &["jq", "libjq.so*"], &[r"\x00jq-(1\.[0-9]+(?:\.[0-9]+)?)\x00", r"\x00(1\.[0-9]+(?:\.[0-9]+)?(?:rc[0-9]+)?)\x00"]),
    program("util-linux", &["getopt"], &[r"\x00util-linux ([0-9]+\.[0-9]+(?:\.[0-9]+)?)\x00"]),
    needing("not in gzip format", program("gzip", &["gzip"], &[r"\x00([0-9]+\.[0-9]+)\x00"])),
    program("gawk", &["gawk"], &[r"GNU Awk ([0-9]+\.[0-9]+\.[0-9]+)"]),
    program("ffmpeg", &["ffmpeg", "ffprobe"], &[r"%s version n?([0-9]+\.[0-9]+(?:\.[0-9]+)?)", r"FFmpeg version n?([0-9]+\.[0-9]+(?:\.[0-9]+)?)"]),
    program("chrome", &["chrome"], &[r"\x00([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)\x00Default"]),
];

/// What every server interface of PHP sends.
const PHP: &str = r"X-Powered-By: PHP/([0-9]+\.[0-9]+\.[0-9]+(?:(?:alpha|beta|RC)[0-9]+)?)";

/// Redis and Valkey append the build's host and time in nanoseconds to their version.
const BUILD_STAMPED: &str =
    r"[^0-9.]([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})(?:[0-9A-Za-z][0-9A-Za-z_.-]{0,80}-)?1[0-9]{18}\x00";

/// A program known by a text file.
pub(super) struct TextProgram {
    /// The end of the path, whole components.
    pub(super) path: &'static str,
    pub(super) version: &'static str,
    pub(super) package: &'static str,
}

const fn text(package: &'static str, path: &'static str, version: &'static str) -> TextProgram {
    TextProgram { path, version, package }
}

/// Scripts, archives of scripts, and version files.
#[rustfmt::skip]
pub(super) const TEXTS: &[TextProgram] = &[
    text("go", "VERSION", r"\Ago([0-9]+\.[0-9]+(?:\.[0-9]+)?(?:(?:alpha|beta|rc)[0-9]+)?)(?:[-+ ][^\n]*)?(?:\r?\n|\z)"),
    text("erlang", "OTP_VERSION", r"\A([0-9]+(?:\.[0-9]+){1,4}(?:-rc[0-9]+)?)\s*\z"),
    text("elixir", "elixir", r"\bELIXIR_VERSION=([0-9]+\.[0-9]+\.[0-9]+(?:-[a-z0-9]+(?:\.[0-9]+)?)?)"),
    text("elixir", "elixir/ebin/elixir.app", r#"\{vsn, ?"([0-9]+\.[0-9]+\.[0-9]+(?:-[a-z0-9]+(?:\.[0-9]+)?)?)"\}"#),
    text("wordpress", "wp-includes/version.php", r"\$wp_version\s*=\s*'([0-9]+\.[0-9]+(?:\.[0-9]+)?(?:-[0-9A-Za-z.-]+)?)'"),
    text("wp-cli", "wp", r"wp-cli/wp-cli ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("composer", "composer", COMPOSER),
    text("composer", "composer.phar", COMPOSER),
    text("composer", "Composer/Composer.php", r"\bpublic const VERSION = '([0-9]+\.[0-9]+\.[0-9]+(?:-?(?:alpha|beta|RC)[0-9]+)?)'"),
    text("firefox", "application.ini", r"(?s)\bName=Firefox\r?\n.{0,400}?\bVersion=([0-9]+(?:\.[0-9]+)+[a-z0-9.]*)\r?\n"),
];

const COMPOSER: &str = r"(?:'pretty_version'\s*=>\s*'|\bpublic const VERSION = ')([0-9]+\.[0-9]+\.[0-9]+(?:-?(?:alpha|beta|RC)[0-9]+)?)'";
