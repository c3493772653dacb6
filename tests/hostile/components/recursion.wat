;; Uses up the stack.
(func $deep (param i64) (result i64)
  (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (local.get 0)))
(func $head (param i32) (result i32)
  (drop (call $deep (i64.const 0)))
  unreachable)
