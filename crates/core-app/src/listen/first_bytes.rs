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

/// A connection whose first bytes were read to learn what it speaks, and are given out again.
///
/// hyper-util's own detection has no time limit: a client that says nothing would stay for ever.
#[derive(Debug)]
pub(super) struct FirstBytes<I> {
    io: I,
    bytes: [u8; PREFACE.len()],
    read: usize,
    given: usize,
}

impl<I: AsyncRead + Unpin> FirstBytes<I> {
    /// Reads as many bytes as it takes to tell.
    pub(super) async fn read(mut io: I) -> io::Result<(Protocol, Self)> {
        let mut bytes = [0; PREFACE.len()];
        let mut read = 0;
        let protocol = loop {
            match io.read(&mut bytes[read..]).await? {
                0 => break Protocol::Http1,
                more => read += more,
            }
            if !PREFACE.starts_with(&bytes[..read]) {
                break Protocol::Http1;
            }
            if read == PREFACE.len() {
                break Protocol::Http2;
            }
        };
        Ok((protocol, Self { io, bytes, read, given: 0 }))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for FirstBytes<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.given < this.read {
            let count = (this.read - this.given).min(buffer.remaining());
            buffer.put_slice(&this.bytes[this.given..this.given + count]);
            this.given += count;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for FirstBytes<I> {
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
        Pin::new(&mut self.io).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(chunks: &[&[u8]], expected: Protocol) {
        let (mut client, server) = tokio::io::duplex(64);
        let whole: Vec<u8> = chunks.concat();
        let chunks: Vec<Vec<u8>> = chunks.iter().map(|chunk| chunk.to_vec()).collect();
        let write = async move {
            use tokio::io::AsyncWriteExt as _;
            for chunk in chunks {
                client.write_all(&chunk).await.expect("the other end is there");
                tokio::task::yield_now().await;
            }
        };
        let read = async {
            let (protocol, mut stream) = FirstBytes::read(server).await.expect("bytes or an end");
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
}
