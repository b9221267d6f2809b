use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// How an HTTP/2 connection begins, RFC 9113 section 3.4. No HTTP/1 request begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// What is written in several parts and is no longer goes out as one: for the system, one plain write
/// is a good deal less work than a vectored one, and copying so little is none.
const SMALL: usize = 4 << 10;

/// A connection as the server uses it.
///
/// Its first bytes were read to learn what it speaks, and are given out again: hyper-util's own
/// detection has no time limit, so that a client that says nothing would stay for ever.
#[derive(Debug)]
pub(super) struct Stream<I> {
    io: I,
    first: [u8; PREFACE.len()],
    read: usize,
    given: usize,
    /// The parts of a small write, one after the other.
    joined: Vec<u8>,
}

impl<I: AsyncRead + Unpin> Stream<I> {
    /// Reads as many bytes as it takes to tell what the other side speaks.
    pub(super) async fn open(mut io: I) -> io::Result<(Protocol, Self)> {
        let mut first = [0; PREFACE.len()];
        let mut read = 0;
        let protocol = loop {
            match io.read(&mut first[read..]).await? {
                0 => break Protocol::Http1,
                more => read += more,
            }
            if !PREFACE.starts_with(&first[..read]) {
                break Protocol::Http1;
            }
            if read == PREFACE.len() {
                break Protocol::Http2;
            }
        };
        Ok((protocol, Self { io, first, read, given: 0, joined: Vec::new() }))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Stream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.given < this.read {
            let count = (this.read - this.given).min(buffer.remaining());
            buffer.put_slice(&this.first[this.given..this.given + count]);
            this.given += count;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Stream<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let [only] = buffers {
            return Pin::new(&mut this.io).poll_write(context, only);
        }
        let length: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        if length > SMALL {
            return Pin::new(&mut this.io).poll_write_vectored(context, buffers);
        }
        this.joined.clear();
        this.joined.reserve_exact(length);
        buffers.iter().for_each(|buffer| this.joined.extend_from_slice(buffer));
        Pin::new(&mut this.io).poll_write(context, &this.joined)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    async fn check(chunks: &[&[u8]], expected: Protocol) {
        let (mut client, server) = tokio::io::duplex(64);
        let whole: Vec<u8> = chunks.concat();
        let chunks: Vec<Vec<u8>> = chunks.iter().map(|chunk| chunk.to_vec()).collect();
        let write = async move {
            for chunk in chunks {
                client.write_all(&chunk).await.expect("the other end is there");
                tokio::task::yield_now().await;
            }
        };
        let read = async {
            let (protocol, mut stream) = Stream::open(server).await.expect("bytes or an end");
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.expect("an end");
            (protocol, bytes)
        };
        let ((), (protocol, bytes)) = tokio::join!(write, read);
        assert_eq!(protocol, expected);
        assert_eq!(bytes, whole, "every byte is given out again");
    }

    #[tokio::test]
    async fn protocols_are_told_apart() {
        check(&[b"GET / HTTP/1.1\r\n\r\n"], Protocol::Http1).await;
        check(&[b"P", b"OST / HTTP/1.1\r\n\r\n"], Protocol::Http1).await;
        check(&[b"PRI * HTTP/1.1\r\n\r\n"], Protocol::Http1).await;
        check(&[b"P"], Protocol::Http1).await;
        check(&[], Protocol::Http1).await;
        check(&[PREFACE], Protocol::Http2).await;
        check(&[b"PRI * HTT", b"P/2.0\r\n\r\nSM\r\n\r\n", b"rest"], Protocol::Http2).await;
    }

    /// Takes seven bytes at a time, and notes in how many parts they came.
    #[derive(Default)]
    struct Seven(Vec<(usize, Vec<u8>)>);

    impl AsyncRead for Seven {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Seven {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(context, &[io::IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            parts: &[io::IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let taken: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).take(7).collect();
            let count = taken.len();
            self.0.push((parts.len(), taken));
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn small_writes_go_out_as_one() {
        let (_, mut stream) = Stream::open(Seven::default()).await.expect("an end");
        let long = vec![b'x'; SMALL];
        for (head, body, parts, taken) in [
            ("head", "body".as_bytes(), 1, &b"headbod"[..]),
            ("", b"y", 1, b"y"),
            ("head", &long[4..], 1, b"headxxx"),
            ("head", &long[3..], 2, b"headxxx"),
        ] {
            let buffers = [head.as_bytes(), body].map(io::IoSlice::new);
            let written = stream.write_vectored(&buffers).await.expect("it takes something");
            assert_eq!(written, taken.len());
            assert_eq!(stream.io.0.pop(), Some((parts, taken.to_vec())));
        }
    }
}
