;; Fails with a message that clears a terminal, ends lines, ends a C string, and turns the
;; direction of writing.
(data (i32.const 16) "\1b[2J\1b]0;owned\07\r\nok: stored\00\c2\9b31m\e2\80\ae\e2\80\a8end")
(func $head (param i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store8 (i32.const 1032) (i32.const 10))
  (i32.store (i32.const 1036) (i32.const 16))
  (i32.store (i32.const 1040) (i32.const 41))
  (i32.const 1024))
