;; Refuses, and then deletes after all, when its answer was taken.
(data (i32.const 16) "mine/bait")
(func $head (param i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store8 (i32.const 1032) (i32.const 6))
  (i32.const 1024))
(func $post-head (param i32)
  (call $next-delete
    (i32.const 16) (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 1024)))
