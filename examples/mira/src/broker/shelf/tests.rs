use std::time::Duration;

use core_types::ByteSize;

use super::*;

fn shelf(max_count: u32, max_bytes: u64) -> Shelf<u32> {
    let max_age = Duration::from_secs(60).into();
    let max_bytes = ByteSize::from_bytes(max_bytes);
    Shelf::new(Store { max_age, max_count, max_bytes })
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_first() {
    let mut shelf = shelf(3, 100);
    for (name, size) in [("a", 10), ("b", 10), ("c", 10), ("d", 10)] {
        shelf.put(name, 0, size);
    }
    assert_eq!(shelf.get("a").copied(), None, "four are over the number");
    assert_eq!(shelf.get("b").copied(), Some(0));
    shelf.put("e", 1, 85);
    assert_eq!(
        (shelf.get("c").copied(), shelf.get("d").copied()),
        (None, Some(0)),
        "115 bytes are too many"
    );
    assert_eq!(shelf.bytes, 95);
    shelf.put("f", 2, 101);
    assert_eq!(
        (shelf.get("f").copied(), shelf.bytes, shelf.order.len()),
        (None, 0, 0),
        "alone too much"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_goes() {
    let mut shelf = shelf(3, 100);
    shelf.put("a", 0, 1);
    tokio::time::advance(Duration::from_secs(30)).await;
    shelf.put("b", 0, 1);
    shelf.put("a", 1, 2);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(shelf.get("a").copied(), None, "replaced, it keeps its age");
    assert_eq!((shelf.get("b").copied(), shelf.bytes), (Some(0), 1));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!((shelf.get("b").copied(), shelf.bytes, shelf.things.len()), (None, 0, 0));
}
