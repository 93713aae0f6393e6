use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::*;

fn receiver() -> (String, Bodies) {
    let receiver = Receiver::bind("127.0.0.1:0", "/k8s-audit", None).unwrap();
    let address = receiver.address().unwrap().to_string();
    (address, receiver.start())
}

fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    // The other side may have answered and hung up already.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const HEAD: &str = "POST /k8s-audit?timeout=30s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";

#[test]
fn bodies_of_both_kinds_arrive_and_connections_are_kept() {
    let (address, bodies) = receiver();
    let request = format!(
        "{HEAD}Content-Length: 3\r\n\r\n{{1}}{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{{2\r\n1;x\r\n}}\r\n0\r\n\r\n"
    );
    let answer = exchange(&address, request.as_bytes());
    assert_eq!(answer.matches("200 OK").count(), 2, "{answer}");
    let wait = Duration::from_secs(5);
    assert_eq!(bodies.recv_timeout(wait).unwrap(), b"{1}");
    assert_eq!(bodies.recv_timeout(wait).unwrap(), b"{2}");
}

#[test]
fn what_is_wrong_is_answered_and_nothing_arrives() {
    let (address, bodies) = receiver();
    let large = "x: ".to_owned() + &"y".repeat(20_000);
    for (request, status) in [
        ("GET /k8s-audit HTTP/1.1\r\n\r\n".to_owned(), "405"),
        ("POST /other HTTP/1.1\r\n\r\n".to_owned(), "404"),
        ("POST /k8s-audit HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n".to_owned(), "415"),
        (format!("{HEAD}\r\n"), "411"),
        (format!("{HEAD}Content-Length: 99999999\r\n\r\n"), "413"),
        (format!("{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), "400"),
        (format!("{HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"),
        (format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "400"),
        (format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nffffff0\r\n"), "413"),
        (format!("{HEAD}{large}\r\n\r\n"), "431"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = exchange(&address, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
    }
    assert!(bodies.try_recv().is_err());
}

#[test]
fn posts_wait_for_a_judge_who_is_too_slow() {
    let (address, bodies) = receiver();
    let request = format!("{HEAD}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    let answers: Vec<String> = (0..=QUEUE).map(|_| exchange(&address, request.as_bytes())).collect();
    assert!(answers[0].contains("200 OK"));
    assert!(answers[QUEUE].starts_with("HTTP/1.1 503"));
    assert_eq!(std::iter::from_fn(|| bodies.try_recv().ok()).count(), QUEUE);
}

#[test]
fn whoever_ends_waits_for_the_answers_to_what_was_taken() {
    let (sender, taken) = mpsc::sync_channel(1);
    let unanswered = Arc::new(AtomicUsize::new(0));
    let queue = Queue { bodies: sender, unanswered: Arc::clone(&unanswered) };
    let bodies = Bodies { taken, unanswered };
    let answered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answered);
    let connection = std::thread::spawn(move || {
        queue.hand_over(b"{}".to_vec(), || {
            std::thread::sleep(Duration::from_millis(100));
            count.fetch_add(1, Ordering::AcqRel);
            Ok(())
        })
    });
    bodies.recv_timeout(Duration::from_secs(5)).unwrap();
    drop(bodies);
    assert_eq!(answered.load(Ordering::Acquire), 1);
    assert!(connection.join().unwrap().unwrap());
}
