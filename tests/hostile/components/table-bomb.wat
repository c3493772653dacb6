;; Grows a table until it is refused, and then traps.
(table $table 1 funcref)
(func $head (param i32) (result i32)
  (loop
    (br_if 0 (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
  unreachable)
